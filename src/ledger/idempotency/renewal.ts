/** A holder's sign of life. */
import type { Timers } from '#schema/timers';
import { within } from '#schema/within';
import { CALL_LIMIT_MS, RENEW_EVERY_MS, STOP_AFTER_MS } from './terms.ts';

export interface RenewalOptions {
  /** False when the ticket is another's by now. */
  renew(): Promise<boolean>;
  /** Called at most once: the ticket is lost, or may be soon. */
  lose(): void;
  now(): number;
  timers: Timers;
}

/** Renews a ticket that has just been taken, until stopped or lost. */
export function keepRenewing({ renew, lose, now, timers }: RenewalOptions): { stop(): void } {
  let heardAtMs = now();
  let stopped = false;
  let timer = timers.set(tick, RENEW_EVERY_MS);

  function tick(): void {
    const askedAtMs = now();
    void within(renew(), CALL_LIMIT_MS, timers)
      .then(
        (isOurs) => {
          if (isOurs) heardAtMs = askedAtMs;
          return isOurs;
        },
        () => now() - heardAtMs < STOP_AFTER_MS - RENEW_EVERY_MS,
      )
      .then((goesOn) => {
        if (stopped) return;
        if (goesOn) timer = timers.set(tick, RENEW_EVERY_MS);
        else lose();
      });
  }

  return {
    stop() {
      stopped = true;
      timers.clear(timer);
    },
  };
}
