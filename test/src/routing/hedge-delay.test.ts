import { describe, expect, it } from 'vitest';
import { promptLengthFactor, type EndpointHealth } from '#schema/health';
import { emptyEstimate, estimateInto } from '#src/routing/estimates';
import { offerOf } from '#test/support/offers';
import { healthOf } from './fleet.ts';

const hedgeAfterMs = (health: EndpointHealth | undefined, promptTokens = 1150, cachedTokens = 0) =>
  estimateInto(emptyEstimate(), offerOf('a', { supply: 'centralized' }), { health, facts: { promptTokens }, cachedTokens }).hedgeAfterMs;

describe('the delay of a hedge', () => {
  it('is 1.2 times the slowest twentieth of what was seen, and at least 600 ms', () => {
    expect(hedgeAfterMs(healthOf({ samples: 10, ttftNormalisedMsP95: 2000 }))).toBeCloseTo(2400);
    expect(hedgeAfterMs(healthOf({ samples: 10, ttftNormalisedMsP95: 100 }))).toBe(600);
  });

  it('grows with the prompt, as a time to first token does', () => {
    const health = healthOf({ samples: 10, ttftNormalisedMsP95: 2000 });
    expect(hedgeAfterMs(health, 40_000)).toBeCloseTo(2400 * promptLengthFactor(40_000));
  });

  it('is twice the expected time to first token, and at least 1.5 s, where fewer than ten answers were seen', () => {
    expect(hedgeAfterMs(undefined)).toBe(1500);
    expect(hedgeAfterMs(healthOf({ samples: 9, ttftNormalisedMs: 3000, ttftNormalisedMsP95: 100 }))).toBe(6000);
    expect(hedgeAfterMs(healthOf({ samples: 50, ttftNormalisedMs: 3000, ttftNormalisedMsP95: null }))).toBe(6000);
  });
});
