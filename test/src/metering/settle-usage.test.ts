import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SupplyKind } from '#schema/catalog';
import { costNanoUsd } from '#schema/money';
import type { Usage } from '#schema/receipt';
import { settleUsage } from '#src/metering/settle-usage';
import { addToTally, createTally } from '#src/metering/tally';
import { toUsageBody } from '#src/skins/usage-body';

const ESTIMATE = 100;

function reports(promptTokens: number, completionTokens: number, over: Partial<Usage> = {}): Usage {
  return { source: 'reported', promptTokens, completionTokens, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, ...over };
}

function settle(
  content: string,
  reported: Usage | null,
  { supply = 'centralized' as SupplyKind, isRegistered = false, whole = true, reasoning = '' } = {},
): Usage {
  const tally = createTally();
  addToTally(tally, { upstreamId: null, choices: [{ index: 0, delta: { content, reasoning }, finish_reason: null }], usage: reported }, 0);
  return settleUsage(tally, ESTIMATE, { supply, ...(isRegistered && { isRegistered }) }, whole);
}

const TEXT = 'x'.repeat(40);

describe('what was used', () => {
  it('is what the upstream reported, where that can be true', () => {
    const reported = reports(90, 12, { reasoningTokens: 3, cacheReadTokens: 50 });
    expect(settle(TEXT, reported)).toEqual(reported);
  });

  it('M4: a stream without usage is counted, never free', () => {
    expect(settle(TEXT, null)).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
    expect(settle('', null, { reasoning: TEXT })).toEqual({ ...reports(ESTIMATE, 10, { reasoningTokens: 10 }), source: 'counted' });
  });

  it('M4: a report of nothing for a text that was delivered is not believed', () => {
    expect(settle(TEXT, reports(0, 0))).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
    expect(settle(TEXT, reports(90, 0))).toEqual({ ...reports(90, 10), source: 'counted' });
    expect(settle(TEXT, reports(0, 10))).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
  });

  it('M5: an answer cut short before its usage is counted as delivered', () => {
    expect(settle(TEXT, null, { whole: false })).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
  });

  it('M5: an answer cut short before any content costs nothing', () => {
    expect(settle('', null, { whole: false })).toEqual({ ...reports(0, 0), source: 'counted' });
  });

  it('T6: usage that is older than what was delivered is raised to it', () => {
    expect(settle(TEXT, reports(90, 2), { whole: false })).toEqual({ ...reports(90, 10), source: 'counted' });
    expect(settle(TEXT, reports(90, 11), { whole: false })).toEqual(reports(90, 11));
  });

  it('M5: of an answer cut short is what the upstream reported with the last of it, where that can be true', () => {
    expect(settle(TEXT, reports(90, 6), { whole: false })).toEqual(reports(90, 6));
    expect(settle(TEXT, reports(90, 4), { whole: false })).toEqual({ ...reports(90, 10), source: 'counted' });
  });

  it('M5: of an answer cut short is not what was reported before the last of it', () => {
    const tally = createTally();
    const say = (content: string, usage: Usage | null) =>
      addToTally(tally, { upstreamId: null, choices: [{ index: 0, delta: { content }, finish_reason: null }], usage }, 0);
    say(TEXT, reports(90, 9));
    say(TEXT, null);
    expect(settleUsage(tally, ESTIMATE, { supply: 'centralized' }, false)).toEqual({ ...reports(90, 20), source: 'counted' });
  });

  it('M14: a miner is not paid for more tokens than it delivered characters', () => {
    expect(settle(TEXT, reports(90, 56), { supply: 'subnet' })).toEqual(reports(90, 56));
    expect(settle(TEXT, reports(90, 57), { supply: 'subnet' })).toEqual({ ...reports(90, 10), source: 'counted' });
    expect(settle(TEXT, reports(90, 500), { supply: 'centralized' })).toEqual(reports(90, 500));
  });

  it('M14: an operator that registers itself is believed no further than a miner, and whoever a deployment names is', () => {
    const lie = reports(90_000_000, 90_000_000);
    expect(settle(TEXT, lie, { supply: 'selfhosted', isRegistered: true })).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
    expect(settle(TEXT, reports(90, 57), { supply: 'selfhosted', isRegistered: true }).completionTokens).toBe(10);
    expect(settle(TEXT, reports(90, 57), { supply: 'selfhosted' })).toEqual(reports(90, 57));
  });

  it('M14: a miner is not paid for a prompt that nobody sent', () => {
    expect(settle(TEXT, reports(8 * ESTIMATE + 1024, 10), { supply: 'subnet' }).source).toBe('reported');
    expect(settle(TEXT, reports(8 * ESTIMATE + 1025, 10), { supply: 'subnet' })).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
    expect(settle(TEXT, reports(90_000_000, 90_000_000), { supply: 'subnet' })).toEqual({ ...reports(ESTIMATE, 10), source: 'counted' });
  });

  it('M14: a miner is paid for writing to a cache only where it was asked to; else that is prompt like any other', () => {
    const tally = createTally();
    const reported = reports(90, 10, { cacheReadTokens: 20, cacheWriteTokens: 70 });
    const choices = [{ index: 0, delta: { content: TEXT }, finish_reason: null }];
    addToTally(tally, { upstreamId: null, choices, usage: reported }, 0);
    const settled = (supplier: { supply: SupplyKind; isRegistered?: true }, isAsked: boolean) =>
      settleUsage(tally, ESTIMATE, supplier, true, () => isAsked);
    const plain = { ...reported, cacheWriteTokens: 0 };
    expect(settled({ supply: 'selfhosted', isRegistered: true }, false)).toEqual(plain);
    expect(settled({ supply: 'subnet' }, false)).toEqual(plain);
    expect(settled({ supply: 'selfhosted', isRegistered: true }, true)).toEqual(reported);
    expect(settled({ supply: 'centralized' }, false)).toEqual(reported);
    const terms = {
      promptPicoUsdPerToken: 100_000,
      completionPicoUsdPerToken: 400_000,
      cacheWritePicoUsdPerToken: 390_000,
      requestNanoUsd: 0,
    };
    expect(costNanoUsd(terms, plain)).toBeLessThan(costNanoUsd(terms, reported));
  });

  it('never counts a delivered text as nothing, whoever reports what', () => {
    const report = fc.option(
      fc.record({ promptTokens: fc.nat(10_000), completionTokens: fc.nat(10_000) }).map((counts) => ({ ...reports(0, 0), ...counts })),
      { nil: null },
    );
    const supply = fc.constantFrom<SupplyKind>('subnet', 'selfhosted', 'centralized');
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), report, supply, fc.boolean(), (content, reported, from, whole) => {
        const usage = settle(content, reported, { supply: from, whole });
        expect(usage.completionTokens).toBeGreaterThan(0);
        expect(usage.promptTokens).toBeGreaterThan(0);
        expect(usage.reasoningTokens).toBeLessThanOrEqual(usage.completionTokens);
        expect(Object.values(usage).every((value) => typeof value === 'string' || Number.isInteger(value))).toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe('the usage that a client sees', () => {
  const PRICE = { promptPicoUsdPerToken: 150_001, completionPicoUsdPerToken: 600_007, cacheReadPicoUsdPerToken: 75_003, requestNanoUsd: 5 };

  it('has every field that strict clients ask for, and none is null', () => {
    const usage = reports(100, 20, { reasoningTokens: 5, cacheReadTokens: 40, cacheWriteTokens: 10 });
    expect(toUsageBody({ usage, chargedNanoUsd: 0, promptNanoUsd: 0, endedAtS: 2, routerMetadata: null })).toEqual({
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      cost: 0,
      is_byok: false,
      prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 0, video_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 0, image_tokens: 0 },
      cost_details: { upstream_inference_cost: 0, upstream_inference_prompt_cost: 0, upstream_inference_completions_cost: 0 },
      headrace: { source: 'reported' },
    });
  });

  it('costs what the receipt charges, and its parts add up to it to the nano-USD', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), fc.nat(100_000), (prompt, completion, cached) => {
        const usage = reports(prompt, completion, { cacheReadTokens: Math.min(cached, prompt) });
        const chargedNanoUsd = costNanoUsd(PRICE, usage);
        const promptNanoUsd = costNanoUsd(PRICE, { ...usage, completionTokens: 0 });
        const body = toUsageBody({ usage, chargedNanoUsd, promptNanoUsd, endedAtS: 2, routerMetadata: null }) as {
          cost: number;
          cost_details: Record<string, number>;
        };
        const nano = (usd: number | undefined) => Math.round((usd ?? Number.NaN) * 1e9);
        expect(nano(body.cost)).toBe(chargedNanoUsd);
        const { upstream_inference_prompt_cost: promptCost, upstream_inference_completions_cost: completionCost } = body.cost_details;
        expect(nano(promptCost) + nano(completionCost)).toBe(chargedNanoUsd);
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
