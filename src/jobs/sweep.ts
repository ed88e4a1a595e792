/** What is kept of supply that has been, and for how long. docs/operators.md, "What is remembered". */
import { sweepRegister } from './sweep-store.ts';

const DAY_MS = 24 * 3_600_000;
/** Lines of an endpoint's history. */
const EVENTS_KEPT_MS = 90 * DAY_MS;
/** The audit trail: a year, and a month to look at it. */
const AUDIT_KEPT_MS = 400 * DAY_MS;
/** Join tokens that nobody can use, so that who tries is told why. */
const TOKENS_KEPT_MS = 30 * DAY_MS;
/** Endpoints that have retired without having served: longer than the memory of prices and quarantines reaches. */
const RETIRED_KEPT_MS = 400 * DAY_MS;
/** Nodes that have left, whose endpoints are gone. */
const NODES_KEPT_MS = 90 * DAY_MS;
/** Rows of each kind in one run. */
const ROWS_MAX = 500;
/** The minute of the hour in which it is done; a backlog is worked off hour by hour. */
const MINUTE = 23;
const MINUTE_MS = 60_000;

/** What the sweep uses. */
export interface SweepPorts {
  db: D1Database;
  log(event: Record<string, unknown>): void;
}

/** Removes what is older, once an hour. Logs `register_swept` where anything went. */
export async function sweep({ db, log }: SweepPorts, nowMs: number): Promise<void> {
  if (Math.floor(nowMs / MINUTE_MS) % 60 !== MINUTE) return;
  const swept = await sweepRegister(db, {
    eventsBeforeMs: nowMs - EVENTS_KEPT_MS,
    auditBeforeMs: nowMs - AUDIT_KEPT_MS,
    tokensBeforeMs: nowMs - TOKENS_KEPT_MS,
    retiredBeforeMs: nowMs - RETIRED_KEPT_MS,
    nodesBeforeMs: nowMs - NODES_KEPT_MS,
    rowsMax: ROWS_MAX,
  });
  if (Object.values(swept).some((rows) => rows > 0)) log({ event: 'register_swept', ...swept });
}
