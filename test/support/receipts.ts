/** What D1 says about a request once everything has drained. */
import type { House } from './house.ts';
import { pause } from './pause.ts';

export interface AttemptRow {
  endpoint: string;
  outcome: string;
  kind: string | null;
  status: number | null;
}

export interface ReceiptRow {
  id: string;
  state: string;
  errorCode: string | null;
  endpoint: string | null;
  usageSource: string;
  promptTokens: number;
  completionTokens: number;
  reasoningTokens: number;
  cacheReadTokens: number;
  chargedNanoUsd: number;
  absorbedNanoUsd: number;
  attempts: AttemptRow[];
}

const POLLS = 1200;
const POLL_MS = 50;

/** Reads one request: its receipt and one row per attempt, in order. Waits until they have reached D1. */
export async function readReceiptRows(house: House, id: string): Promise<ReceiptRow> {
  return toReceiptRow(house, await house.receiptRow(id));
}

/** Waits for the receipts of all requests that tried an endpoint: for clients that left before they knew their id. */
export async function receiptsOf(house: House, endpoint: string): Promise<ReceiptRow[]> {
  const db = await house.db();
  const query = db.prepare('SELECT * FROM receipts WHERE id IN (SELECT receipt_id FROM attempts WHERE endpoint_id = ?1)').bind(endpoint);
  for (let poll = 0; poll < POLLS; poll++) {
    const { results } = await query.all();
    if (results.length > 0) return Promise.all(results.map((row) => toReceiptRow(house, row)));
    await pause(POLL_MS);
  }
  throw new Error(`no receipt of ${endpoint} reached D1`);
}

/** Reads the id that every inference answer carries. */
export function generationIdOf(response: Response): string {
  const id = response.headers.get('x-generation-id');
  if (id === null) throw new Error('the answer has no x-generation-id');
  return id;
}

async function toReceiptRow(house: House, row: Record<string, unknown>): Promise<ReceiptRow> {
  const db = await house.db();
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS endpoint, outcome, failure_kind AS kind, status FROM attempts WHERE receipt_id = ?1 ORDER BY attempt_index`,
    )
    .bind(row['id'])
    .all();
  return {
    id: row['id'] as string,
    state: row['state'] as string,
    errorCode: row['error_code'] as string | null,
    endpoint: row['endpoint_id'] as string | null,
    usageSource: row['usage_source'] as string,
    promptTokens: row['prompt_tokens'] as number,
    completionTokens: row['completion_tokens'] as number,
    reasoningTokens: row['reasoning_tokens'] as number,
    cacheReadTokens: row['cache_read_tokens'] as number,
    chargedNanoUsd: row['charged_nano_usd'] as number,
    absorbedNanoUsd: row['absorbed_nano_usd'] as number,
    attempts: results as unknown as AttemptRow[],
  };
}

/** Waits until receipts and journal agree on what the team has been charged altogether; gives the sum in nano-USD. */
export async function journalledNanoUsd(house: House): Promise<number> {
  const db = await house.db();
  const sum = async (query: string) => (await db.prepare(query).first<number>('nano_usd')) ?? 0;
  for (let poll = 0; poll < POLLS; poll++) {
    const charged = await sum('SELECT sum(charged_nano_usd) AS nano_usd FROM receipts');
    const booked = await sum("SELECT abs(sum(amount_nano_usd)) AS nano_usd FROM journal WHERE account = 'team:testers'");
    if (charged > 0 && charged === booked) return charged;
    await pause(POLL_MS);
  }
  throw new Error('receipts and journal do not agree');
}
