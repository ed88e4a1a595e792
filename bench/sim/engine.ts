/**
 * Runs one policy through one world: discrete events in virtual time, never the wall clock.
 * Requests meet the same isolate, world and luck whatever the policy does.
 */
import { createClient } from './client.ts';
import { createClock } from './clock.ts';
import type { CallRecord, RequestResult, RunOrder, RunResult, SimRequest } from './contract.ts';
import { createStage } from './stage.ts';
import { chanceOf } from './world/chance.ts';
import { withWeather } from './world/weather.ts';
import { createWorld } from './world/world.ts';

/** A request that has not ended so long after the last arrival never will. */
const GRACE_MS = 300_000;

/** Simulates one cell of the table. Rejects when the policy breaks a rule of the contract. */
export async function simulate(order: RunOrder): Promise<RunResult> {
  const { seed, scenario, policy } = order;
  const durationMs = order.requests.at(-1)?.arrivedAtMs ?? 0;
  const at = { durationMs, random: chanceOf(seed, 'scenario', scenario.name) };
  const fleet = scenario.stage(withWeather(order.fleet, { durationMs, seed }), at);
  const requests = scenario.load?.(order.requests, at) ?? order.requests;
  const isolates = scenario.isolates ?? order.isolates;

  const clock = createClock();
  const world = createWorld(fleet, { clock, seed, durationMs });
  const results: RequestResult[] = [];
  const callsOf = new Map<number, CallRecord[]>();
  const canaries: CallRecord[] = [];
  let open = requests.length;
  /** The policy has been told something since its promises settled. */
  let isTold = false;
  let bug: { error: unknown } | null = null;

  const router = policy.open(
    createStage({
      clock,
      world,
      order: { ...order, isolates, syncMs: scenario.syncMs ?? order.syncMs },
      onTold: () => (isTold = true),
      onCall: ({ request }, record) => (request === null ? canaries : callsOf.get(request.id))?.push(record),
      onBug: (error) => (bug ??= { error }),
    }),
  );

  const serve = (request: SimRequest) => {
    const isolate = Math.floor(chanceOf(seed, 'isolate', request.id)() * isolates);
    const client = createClient(request, isolate, { now: clock.now, onEnd: () => open-- });
    results.push(client.result);
    callsOf.set(request.id, client.result.calls);
    isTold = true;
    router.serve(request, isolate, client);
  };
  const expect = (next: number) => {
    const request = requests[next];
    if (request === undefined) return;
    clock.at(request.arrivedAtMs, () => {
      expect(next + 1);
      serve(request);
    });
  };
  expect(0);

  const lastMs = (requests.at(-1)?.arrivedAtMs ?? 0) + GRACE_MS;
  let events = 0;
  while (open > 0 && clock.now() <= lastMs && clock.step()) {
    events++;
    if (policy.isAsync && isTold) await settled();
    isTold = false;
    throwBug(bug);
  }
  for (const result of results) if (result.outcome === 'unfinished') result.totalMs = clock.now() - result.request.arrivedAtMs;

  return {
    results,
    endpoints: world.use(),
    canaries: { calls: canaries.length, billedNanoUsd: canaries.reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, 0) },
    truth: world.truth,
    trouble: scenario.trouble(durationMs),
    events,
  };
}

/** Lets every promise that can settle without a further event do so: they all come before the runtime's next turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function throwBug(bug: { error: unknown } | null): void {
  if (bug !== null) throw bug.error;
}
