import { describe, expect, it } from 'vitest';
import { plan } from '#src/routing/plan';
import { factsOf, healthOf, inputOf, NOW_MS, offerOf, pricedAt, viewOf } from './fleet.ts';

const CHEAP = offerOf({ endpointId: 'cheap', price: pricedAt(50_000) });
const MIDDLE = offerOf({ endpointId: 'middle', price: pricedAt(100_000) });

describe('a candidate', () => {
  it('costs what is expected and at most the worst case', () => {
    const [candidate] = plan(inputOf([MIDDLE], { facts: factsOf({ maxTokens: 500 }) })).candidates;
    expect(candidate).toMatchObject({ costNanoUsd: 200_000, worstCaseNanoUsd: 1_050 * 100 + 500 * 400 });
  });

  it.each([
    [2_000, 3_050],
    [10_000_000, 131_072],
  ])('M4: holds for what media may count, up to a full context (slack %i)', (promptSlackTokens, promptTokens) => {
    const [candidate] = plan(inputOf([MIDDLE], { facts: factsOf({ maxTokens: 500, promptSlackTokens }) })).candidates;
    expect(candidate).toMatchObject({ costNanoUsd: 200_000, worstCaseNanoUsd: promptTokens * 100 + 500 * 400 });
  });

  it.each([
    { maxOutput: 2_000, worstOutput: 2_000 },
    { maxOutput: null, worstOutput: 9_000 },
  ])('without max_tokens may fill the output limit $maxOutput or the context', ({ maxOutput, worstOutput }) => {
    const [candidate] = plan(inputOf([offerOf({ maxOutput, context: 10_000 })])).candidates;
    expect(candidate?.worstCaseNanoUsd).toBe(1_050 * 100 + worstOutput * 400);
  });

  it('is held at the price of writing the cache where that is dearer', () => {
    const price = { ...pricedAt(100_000), cacheWritePicoUsdPerToken: 125_000 };
    const [candidate] = plan(inputOf([offerOf({ price })], { facts: factsOf({ maxTokens: 1 }) })).candidates;
    expect(candidate?.worstCaseNanoUsd).toBe(Math.round(1_050 * 125 + 400));
  });

  it('waits 6 s·s(u) for a first token until 10 samples, then 3 × q90 within 2 to 20 s', () => {
    const timeout = (health: Parameters<typeof healthOf>[0]): number | undefined =>
      plan(inputOf([CHEAP], { facts: factsOf({ promptTokens: 1_150 }), health: viewOf({ cheap: healthOf(health) }) })).candidates[0]
        ?.firstTokenTimeoutMs;
    expect(timeout({ samples: 9 })).toBe(6_000);
    expect(timeout({ ttftNormalisedMsP90: 100 })).toBe(2_000);
    expect(timeout({ ttftNormalisedMsP90: 1_000 })).toBe(3_000);
    expect(timeout({ ttftNormalisedMsP90: 60_000 })).toBe(20_000);
  });

  it.each([
    [4_000, 0.01],
    [4_001, 0.6],
  ])('with %i prompt tokens fails as such prompts do there: %d', (promptTokens, failureProbability) => {
    const health = viewOf({ cheap: healthOf({ failureProbability: 0.01, failureProbabilityLong: 0.6 }) });
    expect(plan(inputOf([CHEAP], { facts: factsOf({ promptTokens }), health })).candidates[0]).toMatchObject({ failureProbability });
    const unseen = viewOf({ cheap: healthOf({ failureProbability: 0.01 }) });
    expect(plan(inputOf([CHEAP], { facts: factsOf({ promptTokens }), health: unseen })).candidates[0]?.failureProbability).toBe(0.01);
  });

  it('appears in the record with every term', () => {
    const record = plan(inputOf([CHEAP], { health: viewOf({ cheap: healthOf({ inFlight: 3 }) }) })).record();
    expect(record).toMatchObject({ snapshotVersion: 'v1', plannedAtMs: NOW_MS, method: 'index', optimize: 'balanced', rejections: [] });
    expect(record.candidates[0]).toMatchObject({
      endpointId: 'cheap',
      provider: 'cheap',
      supply: 'centralized',
      tier: 'open',
      rank: 1,
      costNanoUsd: 100_000,
      terms: { price: 1, verification: 0, ttftMiss: 0 },
      load: { inFlight: 3, cap: 8 },
      cacheHit: 0,
      gates: [],
    });
  });
});
