/** A stage on which tests play the endpoints by hand. */
import { createClock } from '#bench/sim/clock';
import type { CallFailure, CallOrder, Client, Listing, Policy, SimRequest, Stage } from '#bench/sim/contract';
import { usdPerMillion } from '#bench/sim/world/default-fleet';
import { createRandom, hashText } from '#devnet/random';

/** A call that waits for the test to answer it. */
export interface OpenCall {
  endpointId: string;
  role: CallOrder['role'];
  isCancelled: boolean;
  /** Sends tokens, at once. */
  say(tokens: number): void;
  end(failure: CallFailure | null): void;
  headers(): void;
}

export interface Outcome {
  tokens: number;
  /** `complete`, the reason of a failure, or null while it goes on. */
  ending: string | null;
}

/** Prices in USD per million prompt tokens; answers cost three times as much. */
export function listingsAt(prices: Record<string, number>): Listing[] {
  return Object.entries(prices).map(([id, usd]) => ({
    id,
    operatorId: id,
    supply: 'subnet',
    price: usdPerMillion(usd, 3 * usd),
    declaredSlots: null,
    context: 32_768,
    quantization: 'fp8',
    continues: false,
  }));
}

export const REQUEST: SimRequest = {
  id: 0,
  arrivedAtMs: 0,
  teamId: 'team',
  promptTokens: 1_000,
  outputTokens: 100,
  maxTokens: null,
  conversation: null,
  prefixTokens: 0,
  blocks: [],
};

/** Opens a policy with one isolate over these endpoints. */
export function openStage(policy: Policy, listings: readonly Listing[], seed = 1) {
  const clock = createClock();
  const calls: OpenCall[] = [];
  const stage: Stage = {
    now: clock.now,
    after: clock.after,
    clear: clock.clear,
    listings: () => listings,
    call({ endpointId, role, listener }) {
      const call: OpenCall = {
        endpointId,
        role,
        isCancelled: false,
        say: (tokens) => listener.tokens(tokens),
        end: (failure) => listener.ended(failure, { cachedTokens: 0 }),
        headers: () => listener.headers?.(null),
      };
      calls.push(call);
      return { cancel: () => (call.isCancelled = true) };
    },
    random: (purpose) => createRandom(hashText(`${seed} ${purpose}`)),
    isolates: 1,
    syncMs: 2_000,
    boardDelayMs: 30,
    abort: (error) => {
      throw error;
    },
  };
  const router = policy.open(stage);

  /** Sends one request; the first call is made at once unless nobody may be asked. */
  function send(request: Partial<SimRequest> = {}): Outcome {
    const outcome: Outcome = { tokens: 0, ending: null };
    const client: Client = {
      deliver: (tokens) => (outcome.tokens += tokens),
      complete: () => (outcome.ending = 'complete'),
      fail: (reason) => (outcome.ending = reason),
    };
    router.serve({ ...REQUEST, ...request }, 0, client);
    return outcome;
  }

  /** Lets virtual time pass, timers included. */
  function pass(durationMs: number): void {
    let isOver = false;
    clock.after(durationMs, () => (isOver = true));
    while (!isOver) clock.step();
  }

  /** The latest call. */
  function last(): OpenCall {
    const call = calls.at(-1);
    if (call === undefined) throw new Error('nobody was called');
    return call;
  }

  /** Sends a request whose calls all answer, or fail, after so long; gives the endpoint that was asked first. */
  function serveOne(
    failureOf: (endpointId: string) => CallFailure | null = () => null,
    durationMs: number | ((endpointId: string) => number) = 100,
  ): string {
    const from = calls.length;
    const outcome = send();
    for (let place = from; outcome.ending === null && place < calls.length; place++) {
      const call = calls[place] as OpenCall;
      pass(typeof durationMs === 'number' ? durationMs : durationMs(call.endpointId));
      const failure = failureOf(call.endpointId);
      if (failure === null) call.say(100);
      call.end(failure);
    }
    return calls[from]?.endpointId ?? 'nobody';
  }

  return { calls, send, pass, last, serveOne };
}

/** Counts how often each of many first choices fell on each endpoint. */
export function countChoices(choose: () => string, times: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let time = 0; time < times; time++) {
    const choice = choose();
    counts[choice] = (counts[choice] ?? 0) + 1;
  }
  return counts;
}
