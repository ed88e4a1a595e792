/** A health under a hand-moved clock, and attempts that go well or badly. */
import type { AttemptFailureKind } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { createHealth, type Flight, type Health } from '#src/health/health';
import { factsOf, offerOf } from '#test/src/routing/fleet';

export const OFFER = offerOf({ endpointId: 'rig', operatorId: 'op', keySecret: 'RIG_KEY' });
export const FACTS = factsOf({ promptTokens: 1_150 });

/** A health under a hand-moved clock; the middle of the jitter, so delays are exact. */
export function setUp() {
  const clock = { nowMs: 1_800_000_000_000 };
  const health = createHealth({ now: () => clock.nowMs, random: () => 0.5 });
  return { clock, health };
}

export function read(health: Health, nowMs: number, offer: Offer = OFFER, teamId: string = FACTS.teamId): EndpointHealth | undefined {
  return health.view(nowMs, teamId).read(offer.endpointId, offer.operatorId, offer.keySecret);
}

export function fail(flight: Flight, kind: AttemptFailureKind, retryAfterMs?: number): void {
  flight.end({
    outcome: 'failed',
    failure: { kind, origin: 'external', detail: 'test', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    completionTokens: 0,
    durationMs: 20,
  });
}

export function succeed(flight: Flight, ttftMs = 700, tokens = 101): void {
  flight.firstToken(ttftMs);
  flight.end({ outcome: 'completed', failure: null, completionTokens: tokens, durationMs: ttftMs + (tokens - 1) * 15 });
}

export function repeat(times: number, act: () => void): void {
  for (let time = 0; time < times; time++) act();
}
