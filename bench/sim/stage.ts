/** What a policy gets to see of a run: time, catalogue and network, and nothing of the truth behind them. */
import type { Clock } from './clock.ts';
import type { CallListener, CallOrder, CallRecord, RunOrder, Stage } from './contract.ts';
import { chanceOf } from './world/chance.ts';
import type { World } from './world/world.ts';

/** One way between an isolate and the place where isolates exchange what they know. */
const BOARD_DELAY_MS = 30;

export interface StageOptions {
  clock: Clock;
  world: World;
  order: Pick<RunOrder, 'seed' | 'policy' | 'isolates' | 'syncMs'>;
  /** The policy is being told something. */
  onTold(): void;
  /** The policy has made a call; `record` is written as it goes. */
  onCall(order: CallOrder, record: CallRecord): void;
  onBug(error: unknown): void;
}

/** Builds the stage of one run. */
export function createStage({ clock, world, order, onTold, onCall, onBug }: StageOptions): Stage {
  return {
    now: clock.now,
    clear: clock.clear,
    after: (delayMs, fire) =>
      clock.after(delayMs, () => {
        onTold();
        fire();
      }),
    listings: world.listings,
    call(asked) {
      const { live, record } = world.call({ ...asked, listener: announced(asked.listener, onTold) });
      onCall(asked, record);
      return live;
    },
    random: (purpose) => chanceOf(order.seed, 'policy', order.policy.name, purpose),
    isolates: order.isolates,
    syncMs: order.syncMs,
    boardDelayMs: BOARD_DELAY_MS,
    abort: onBug,
  };
}

/** Calls `onTold` before each event that a listener hears. */
function announced(listener: CallListener, onTold: () => void): CallListener {
  return {
    tokens(count) {
      onTold();
      listener.tokens(count);
    },
    ended(failure, usage) {
      onTold();
      listener.ended(failure, usage);
    },
    ...(listener.headers && {
      headers(load) {
        onTold();
        listener.headers?.(load);
      },
    }),
    ...(listener.hollow && {
      hollow() {
        onTold();
        listener.hollow?.();
      },
    }),
  };
}
