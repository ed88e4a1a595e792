/** The books of an isolate: sums over what was served and charged. Large sums are kept for a while, so that reading them cannot become a load. */
import { DAY_MS } from '#schema/budget-period';
import { createOrUnavailable } from '#schema/or-unavailable';
import { readEarnings, type EndpointEarnings } from './earnings-store.ts';
import { createKept } from './kept.ts';
import { readReceiptTeam, readUsage, type UsageQuery, type UsageRow } from './sums-store.ts';
import { readCredits, type Credits } from './team-store.ts';
import { readActivity, readKeyUsages, readTraffic, type ActivityQuery, type ActivityRow, type KeyUsage, type Traffic } from './store.ts';

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
  /** Reads credits anew the next time. */
  forgetCredits(): void;
  /** At most ten seconds old. */
  usage(query: UsageQuery): Promise<readonly UsageRow[]>;
  /** The team whose request a receipt is of; null where there is none. */
  teamOfReceipt(id: string): Promise<string | null>;
  /** At most a minute old. */
  activity(query: ActivityQuery): Promise<readonly ActivityRow[]>;
  /** What the endpoints of an operator have served in so many days; at most a minute old. */
  earnings(operatorId: string, days: number): Promise<{ sinceMs: number; untilMs: number; rows: readonly EndpointEarnings[] }>;
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
  const usages = createKept<readonly UsageRow[]>({ now, keptMs: 10_000, capacity: KEPT_MAX });
  const activities = createKept<readonly ActivityRow[]>({ now, keptMs: MINUTE_MS, capacity: KEPT_MAX });
  const earnings = createKept<Awaited<ReturnType<Books['earnings']>>>({ now, keptMs: MINUTE_MS, capacity: KEPT_MAX });
  const traffics = createKept<ReadonlyMap<string, Traffic>>({ now, keptMs: 5 * MINUTE_MS, capacity: 1 });

  const ask = createOrUnavailable({ sentence: 'Usage cannot be read right now', event: 'books_unavailable', timeoutMs: TIMEOUT_MS, log });

  return {
    ofKeys: (keyIds) => ask(readKeyUsages(db, keyIds, now())),
    credits: (teamId) => credits.get(teamId ?? '', () => ask(readCredits(db, teamId))),
    forgetCredits: credits.clear,
    usage: (query) => usages.get(JSON.stringify(query), () => ask(readUsage(db, query))),
    teamOfReceipt: (id) => ask(readReceiptTeam(db, id)),
    activity: (query) => activities.get(JSON.stringify(query), () => ask(readActivity(db, query))),
    earnings: (operatorId, days) =>
      earnings.get(`${operatorId} ${days}`, async () => {
        const untilMs = now();
        const sinceMs = untilMs - days * DAY_MS;
        return { sinceMs, untilMs, rows: await ask(readEarnings(db, { operatorId, sinceMs })) };
      }),
    async traffic() {
      try {
        return await traffics.get('', () => ask(readTraffic(db, now() - TRAFFIC_WINDOW_MS)));
      } catch {
        // The log has been told; the list that is ordered by traffic is worth more than its order.
        return new Map();
      }
    },
  };
}
