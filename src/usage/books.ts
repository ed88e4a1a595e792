/** The books of an isolate: sums over what was served and charged. Large sums are kept for a while, so that reading them cannot become a load. */
import { GatewayError } from '#schema/error';
import { within } from '#schema/within';
import { createKept } from './kept.ts';
import {
  readActivity,
  readCredits,
  readKeyUsages,
  readTraffic,
  type ActivityQuery,
  type ActivityRow,
  type Credits,
  type KeyUsage,
  type Traffic,
} from './store.ts';

export interface BooksPorts {
  db: D1Database;
  now(): number;
  log(event: Record<string, unknown>): void;
}

/** All sums are of receipts that have reached D1, seconds after their request. Methods throw GatewayError `ledger_unavailable` but for `traffic`. */
export interface Books {
  /** What keys have been charged, by key id. */
  ofKeys(keyIds: readonly string[]): Promise<ReadonlyMap<string, KeyUsage>>;
  /** Of one team, or of all where it is null; at most a minute old. */
  credits(teamId: string | null): Promise<Credits>;
  /** At most a minute old. */
  activity(query: ActivityQuery): Promise<readonly ActivityRow[]>;
  /** What endpoints have completed in seven days, by endpoint id; at most five minutes old, empty while D1 does not answer. */
  traffic(): Promise<ReadonlyMap<string, Traffic>>;
}

/** A key that was never charged. */
export const NO_USAGE: KeyUsage = Object.freeze({ totalNanoUsd: 0, dailyNanoUsd: 0, weeklyNanoUsd: 0, monthlyNanoUsd: 0 });

const MINUTE_MS = 60_000;
const TRAFFIC_WINDOW_MS = 7 * 24 * 60 * MINUTE_MS;
const TIMEOUT_MS = 10_000;
const KEPT_MAX = 100;

/** Opens the books. */
export function createBooks({ db, now, log }: BooksPorts): Books {
  const credits = createKept<Credits>({ now, keptMs: MINUTE_MS, capacity: KEPT_MAX });
  const activities = createKept<readonly ActivityRow[]>({ now, keptMs: MINUTE_MS, capacity: KEPT_MAX });
  const traffics = createKept<ReadonlyMap<string, Traffic>>({ now, keptMs: 5 * MINUTE_MS, capacity: 1 });

  function report(failure: unknown): void {
    log({ event: 'books_unavailable', cause: failure instanceof Error ? failure.name : 'unknown' });
  }

  async function ask<Answer>(work: Promise<Answer>): Promise<Answer> {
    try {
      return await within(work, TIMEOUT_MS);
    } catch (cause) {
      report(cause);
      throw new GatewayError('ledger_unavailable', 'Usage cannot be read right now. Try again shortly.', { retryAfterS: 2, cause });
    }
  }

  return {
    ofKeys: (keyIds) => ask(readKeyUsages(db, keyIds, now())),
    credits: (teamId) => credits.get(teamId ?? '', () => ask(readCredits(db, teamId))),
    activity: (query) => activities.get(JSON.stringify(query), () => ask(readActivity(db, query))),
    async traffic() {
      try {
        return await traffics.get('', () => within(readTraffic(db, now() - TRAFFIC_WINDOW_MS), TIMEOUT_MS));
      } catch (failure) {
        report(failure);
        return new Map();
      }
    },
  };
}
