/** What the run left in the router's D1. */

/** A receipt's row, as far as the reconciliation reads it. */
export interface ReceiptRow {
  id: string;
  teamId: string;
  state: string;
  endpointId: string | null;
  promptTokens: number;
  completionTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  chargedNanoUsd: number;
  absorbedNanoUsd: number;
  heldNanoUsd: number;
  batchId: string;
}

/** An attempt's row. */
export interface AttemptRow {
  receiptId: string;
  endpointId: string;
  role: string | null;
  outcome: string;
  failureKind: string | null;
  promptTokens: number;
  completionTokens: number;
  costNanoUsd: number;
}

/** An entry of the journal. */
export interface JournalRow {
  batchId: string;
  account: string;
  amountNanoUsd: number;
}

/** All rows of a run. */
export interface Books {
  receipts: ReceiptRow[];
  attempts: AttemptRow[];
  journal: JournalRow[];
}

const RECEIPTS = `SELECT id, team_id AS teamId, state, endpoint_id AS endpointId, prompt_tokens AS promptTokens,
  completion_tokens AS completionTokens, cache_read_tokens AS cacheReadTokens, cache_write_tokens AS cacheWriteTokens,
  charged_nano_usd AS chargedNanoUsd, absorbed_nano_usd AS absorbedNanoUsd, held_nano_usd AS heldNanoUsd, batch_id AS batchId
  FROM receipts ORDER BY id`;
const ATTEMPTS = `SELECT receipt_id AS receiptId, endpoint_id AS endpointId, role, outcome, failure_kind AS failureKind,
  prompt_tokens AS promptTokens, completion_tokens AS completionTokens, cost_nano_usd AS costNanoUsd
  FROM attempts ORDER BY receipt_id, attempt_index`;
const JOURNAL = 'SELECT batch_id AS batchId, account, amount_nano_usd AS amountNanoUsd FROM journal';

/** Reads everything in one transaction, so that no batch is seen by halves. */
export async function readBooks(db: D1Database): Promise<Books> {
  const [receipts, attempts, journal] = await db.batch([db.prepare(RECEIPTS), db.prepare(ATTEMPTS), db.prepare(JOURNAL)]);
  return {
    receipts: (receipts?.results ?? []) as ReceiptRow[],
    attempts: (attempts?.results ?? []) as AttemptRow[],
    journal: (journal?.results ?? []) as JournalRow[],
  };
}

/** Lists the ids of all receipts that D1 has. */
export async function readReceiptIds(db: D1Database): Promise<Set<string>> {
  const { results } = await db.prepare('SELECT id FROM receipts').all<{ id: string }>();
  return new Set(results.map(({ id }) => id));
}
