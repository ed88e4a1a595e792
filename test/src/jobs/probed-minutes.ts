/** A deployment whose minutes of staging and probing pass as a test says. */
import { sayChat } from '#src/dispatch/say-chat';
import { minuteOfProbes, type ProbesContext } from '#src/jobs/probes';
import { createEngine, type Call, type Traits } from '#test/src/nodes/probe/fake-engine';
import { networkOf, openSupply, type Supply } from '#test/src/nodes/staged-supply';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';

export const MINUTE_MS = 60_000;
/** Where the engine of every minute stands. */
export const ORIGIN = 'https://203.1.1.1';

export interface ProbedMinutes {
  supply: Supply;
  clock: ManualClock;
  /** What nodes have been told. */
  told: unknown[];
  /** Runs the job beside an engine with these traits, and returns what that was asked. */
  minute(traits?: Partial<Traits>, over?: Partial<ProbesContext>): Promise<readonly Call[]>;
}

export function openProbedMinutes(): ProbedMinutes {
  const supply = openSupply();
  const clock = createManualClock();
  const told: unknown[] = [];

  async function minute(traits: Partial<Traits> = {}, over: Partial<ProbesContext> = {}): Promise<readonly Call[]> {
    const engine = createEngine(clock, traits);
    const context = {
      db: supply.db,
      now: clock.now,
      random: () => 0.5,
      fetch: networkOf({ [ORIGIN]: engine.fetch }).fetch,
      secret: () => undefined,
      endpointKey: async () => null,
      say: sayChat,
      allowedHosts: [],
      log: () => undefined,
      node: () => ({ fetch: engine.fetch, tell: async (frame: unknown) => void told.push(frame) }),
      ...over,
    } as unknown as ProbesContext;
    const running = minuteOfProbes(context, clock.now(), clock.timers);
    running.catch(() => undefined);
    await clock.pass(30_000);
    await running;
    return engine.calls;
  }

  return { supply, clock, told, minute };
}
