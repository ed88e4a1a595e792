/** One endpoint without any randomness, and a listener that writes down what it hears. */
import { createClock, type Clock } from '#bench/sim/clock';
import type { CallFailure, CallOrder, CallRecord, Fault, Fleet, LiveCall, SimEndpoint, SimRequest, Spell } from '#bench/sim/contract';
import { usdPerMillion } from '#bench/sim/world/default-fleet';
import { createWorld, type World } from '#bench/sim/world/world';

/** 20 ms on the wire, 100 ms to the first token, 1 ms a prompt token, 10 ms a token; prices 1 and 2 USD a million. */
export const PLAIN: SimEndpoint = {
  id: 'plain',
  operatorId: 'plain',
  supply: 'subnet',
  price: usdPerMillion(1, 2, 0.1),
  declaredSlots: null,
  context: 32_768,
  quantization: 'fp8',
  continues: true,
  slots: 2,
  queueMax: 1,
  firstTokenMsP50: 100,
  firstTokenSigma: 0,
  prefillTokensPerSecond: 1_000_000,
  tpotMs: 10,
  tpotSigma: 0,
  cache: null,
  failureShare: 0,
  breakShare: 0,
  billing: { onFailure: false, onCancel: true },
};

export function requestOf(fields: Partial<SimRequest> = {}): SimRequest {
  return {
    id: 0,
    arrivedAtMs: 0,
    teamId: 'team-1',
    promptTokens: 1_000,
    outputTokens: 100,
    maxTokens: null,
    conversation: null,
    prefixTokens: 0,
    blocks: [],
    ...fields,
  };
}

export function fleetOf(endpoints: readonly SimEndpoint[], spells: readonly Spell[] = []): Fleet {
  return { endpoints, spells, prices: [], listings: [], isReplay: true };
}

export function spellOf(fault: Fault, fields: Partial<Spell> = {}): Spell {
  return { endpointId: PLAIN.id, fromMs: 0, untilMs: 1e9, fault, share: 1, ...fields };
}

/** A call with all that its caller heard. */
export interface Heard {
  live: LiveCall;
  record: CallRecord;
  headersAtMs: number | null;
  hollowAtMs: number | null;
  firstAtMs: number | null;
  tokens: number;
  /** Undefined: no end was heard. */
  failure?: CallFailure | null;
  endedAtMs: number | null;
  cachedTokens: number | null;
}

export interface Lab {
  clock: Clock;
  world: World;
  call(order?: Partial<CallOrder>): Heard;
  /** Steps until nothing is left, or an instant. */
  run(untilMs?: number): void;
}

export function createLab(fleet: Fleet, seed = 1): Lab {
  const clock = createClock();
  const world = createWorld(fleet, { clock, seed, durationMs: 600_000 });
  return {
    clock,
    world,
    call(order) {
      const heard: Omit<Heard, 'live' | 'record'> = {
        headersAtMs: null,
        hollowAtMs: null,
        firstAtMs: null,
        tokens: 0,
        endedAtMs: null,
        cachedTokens: null,
      };
      const called = world.call({
        endpointId: PLAIN.id,
        request: requestOf(),
        isolate: 0,
        role: 'first',
        ...order,
        listener: {
          headers: () => void (heard.headersAtMs = clock.now()),
          hollow: () => void (heard.hollowAtMs = clock.now()),
          tokens(count) {
            heard.firstAtMs ??= clock.now();
            heard.tokens += count;
          },
          ended(failure, { cachedTokens }) {
            heard.failure = failure;
            heard.endedAtMs = clock.now();
            heard.cachedTokens = cachedTokens;
          },
        },
      });
      return Object.assign(heard, called);
    },
    run(untilMs = Infinity) {
      let isThere = false;
      if (Number.isFinite(untilMs)) clock.at(untilMs, () => void (isThere = true));
      while (!isThere && clock.step());
    },
  };
}
