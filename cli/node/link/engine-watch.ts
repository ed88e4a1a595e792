/** Watches what the engine is: which models, how they are set up, which version; and whether it can serve at all. */
import type { Timers } from '#schema/timers';

/** What a look at the engine shows: it, or why it can serve nothing; null where it gives no whole answer, which decides nothing. */
export type EngineSight<Found> = { found: Found } | { trouble: string } | null;

/** What a watch uses. */
export interface EngineWatchPorts<Found> {
  look(): Promise<EngineSight<Found>>;
  onSight(sight: NonNullable<EngineSight<Found>>): void;
  timers: Timers;
}

/** A watch that has begun. */
export interface EngineWatch {
  /** Looks now, or a moment after the last look. */
  lookSoon(): void;
  /** The engine answers again, or no more: it is in trouble once it has been gone for a moment. */
  noteThere(isThere: boolean): void;
  stop(): void;
}

/** A model that is gone must be no candidate within a minute, with the time that the router takes. */
const LOOK_INTERVAL_MS = 20_000;
/** Between looks that failing requests ask for. */
const SOON_MS = 1_000;
/** An engine that is back sooner was never missed: its requests are refused one by one meanwhile. */
const GONE_MS = 3_000;

const GONE = 'its engine does not answer';

/** Starts to watch. */
export function watchEngine<Found>({ look, onSight, timers }: EngineWatchPorts<Found>): EngineWatch {
  let timer: unknown;
  let goneTimer: unknown;
  let isLooking = false;
  let isDueAgain = false;
  let isGone = false;
  let isStopped = false;

  async function lookNow(): Promise<void> {
    isLooking = true;
    timers.clear(timer);
    const sight = await look();
    isLooking = false;
    if (isStopped) return;
    if (sight !== null && !isGone) onSight(sight);
    timer = timers.set(() => void lookNow(), isDueAgain ? SOON_MS : LOOK_INTERVAL_MS);
    isDueAgain = false;
  }

  function lookSoon(): void {
    if (isStopped || isDueAgain) return;
    isDueAgain = true;
    if (isLooking) return;
    timers.clear(timer);
    timer = timers.set(() => {
      isDueAgain = false;
      void lookNow();
    }, SOON_MS);
  }

  timer = timers.set(() => void lookNow(), LOOK_INTERVAL_MS);
  return {
    lookSoon,
    noteThere(isThere) {
      timers.clear(goneTimer);
      isGone = !isThere;
      if (isThere) lookSoon();
      else goneTimer = timers.set(() => onSight({ trouble: GONE }), GONE_MS);
    },
    stop() {
      isStopped = true;
      timers.clear(timer);
      timers.clear(goneTimer);
    },
  };
}
