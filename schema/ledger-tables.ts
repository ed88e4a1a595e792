/**
 * D1 tables of what has happened: receipts, attempts, journal, and the sums over them. The Account's outbox fills them; nothing is changed afterwards.
 * Amounts are integers in nano-USD, instants in epoch milliseconds.
 */
import { getTableColumns, sql } from 'drizzle-orm';
import { index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const receipts = sqliteTable(
  'receipts',
  {
    id: text().primaryKey(),
    teamId: text('team_id').notNull(),
    keyId: text('key_id').notNull(),
    policy: text().notNull(),
    policyVersion: integer('policy_version').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    api: text().notNull(),
    stream: integer({ mode: 'boolean' }).notNull(),
    state: text().notNull(),
    errorCode: text('error_code'),
    requestedModel: text('requested_model').notNull(),
    model: text().notNull(),
    endpointId: text('endpoint_id'),
    providerId: text('provider_id'),
    providerName: text('provider_name'),
    supply: text(),
    tier: text(),
    finishReason: text('finish_reason'),
    nativeFinishReason: text('native_finish_reason'),
    upstreamId: text('upstream_id'),
    sessionId: text('session_id'),
    /** `reported` by the upstream or `counted` by us. */
    usageSource: text('usage_source').notNull(),
    promptTokens: integer('prompt_tokens').notNull(),
    completionTokens: integer('completion_tokens').notNull(),
    reasoningTokens: integer('reasoning_tokens').notNull(),
    cacheReadTokens: integer('cache_read_tokens').notNull(),
    cacheWriteTokens: integer('cache_write_tokens').notNull(),
    /** Images, characters, seconds or searches; null where tokens are billed. */
    units: real(),
    overheadMs: integer('overhead_ms').notNull(),
    ttftMs: integer('ttft_ms'),
    /** Milliseconds per output token after the first; a fraction. */
    tpotMs: real('tpot_ms'),
    totalMs: integer('total_ms').notNull(),
    chargedNanoUsd: integer('charged_nano_usd').notNull(),
    absorbedNanoUsd: integer('absorbed_nano_usd').notNull(),
    heldNanoUsd: integer('held_nano_usd').notNull(),
    /** The group commit that brought this receipt; ties it to its journal entries. */
    batchId: text('batch_id').notNull(),
    /** The routing decision, `PlanRecord` as JSON. */
    plan: text().notNull(),
    /** What the team's own provider key was billed at list price, in nano-USD; null where the house's key was used. */
    byokNanoUsd: integer('byok_nano_usd'),
  },
  (table) => [
    index('receipts_team_time').on(table.teamId, table.createdAtMs),
    // Holds all that sums over a key read.
    index('receipts_key_time').on(table.keyId, table.createdAtMs, table.chargedNanoUsd),
    // The same for the few that used a team's own provider key.
    index('receipts_key_byok')
      .on(table.keyId, table.createdAtMs, table.byokNanoUsd)
      .where(sql`${table.byokNanoUsd} is not null`),
  ],
);

/** One row per upstream call. */
export const attempts = sqliteTable(
  'attempts',
  {
    receiptId: text('receipt_id').notNull(),
    attemptIndex: integer('attempt_index').notNull(),
    endpointId: text('endpoint_id').notNull(),
    providerId: text('provider_id').notNull(),
    supply: text().notNull(),
    startedAtMs: integer('started_at_ms').notNull(),
    headersMs: integer('headers_ms'),
    ttftMs: integer('ttft_ms'),
    durationMs: integer('duration_ms').notNull(),
    outcome: text().notNull(),
    failureKind: text('failure_kind'),
    failureDetail: text('failure_detail'),
    failureOrigin: text('failure_origin'),
    /** What the upstream asked for. */
    retryAfterMs: integer('retry_after_ms'),
    status: integer(),
    promptTokens: integer('prompt_tokens').notNull(),
    completionTokens: integer('completion_tokens').notNull(),
    costNanoUsd: integer('cost_nano_usd').notNull(),
    /** `first`, `fallback`, `hedge`, `resume` or `canary`; null in rows from before roles were written down. */
    role: text(),
    /** Whether the call went out with the team's own provider key; null in rows from before there were such keys. */
    byok: integer({ mode: 'boolean' }),
  },
  (table) => [
    primaryKey({ columns: [table.receiptId, table.attemptIndex] }),
    index('attempts_time').on(table.startedAtMs),
    index('attempts_endpoint_time').on(table.endpointId, table.startedAtMs),
  ],
);

/**
 * Double entry: the amounts of one batch sum to zero. Accounts are `team:<id>`, `supply:<provider id>` and `house`.
 * One row per account and group commit.
 */
export const journal = sqliteTable(
  'journal',
  {
    batchId: text('batch_id').notNull(),
    account: text().notNull(),
    amountNanoUsd: integer('amount_nano_usd').notNull(),
    postedAtMs: integer('posted_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.batchId, table.account] }),
    // Holds all that a balance reads.
    index('journal_account_time').on(table.account, table.postedAtMs, table.amountNanoUsd),
  ],
);

/** Five-minute sums per endpoint, made by the scheduled roll-up from the attempts that clients asked for; canaries are left out. */
export const rollups = sqliteTable(
  'rollups',
  {
    bucketMs: integer('bucket_ms').notNull(),
    endpointId: text('endpoint_id').notNull(),
    attempts: integer().notNull(),
    successes: integer().notNull(),
    promptTokens: integer('prompt_tokens').notNull(),
    completionTokens: integer('completion_tokens').notNull(),
    costNanoUsd: integer('cost_nano_usd').notNull(),
    ttftMsP50: integer('ttft_ms_p50'),
    ttftMsP90: integer('ttft_ms_p90'),
    /** Attempts that say something about the endpoint; null, as the histograms are, in rows from before they were written down. */
    uptimeAttempts: integer('uptime_attempts'),
    /** Completed attempts by place on the scale of src/catalog/histogram.ts, `{"53": 4}`; by milliseconds to the first token. */
    ttftMsHistogram: text('ttft_ms_histogram'),
    /** The same by tokens per second after the first token. */
    throughputHistogram: text('throughput_histogram'),
  },
  (table) => [
    primaryKey({ columns: [table.bucketMs, table.endpointId] }),
    index('rollups_endpoint_time').on(table.endpointId, table.bucketMs),
  ],
);

/** The order of a receipt's columns, for rows that travel as arrays. */
export const RECEIPT_COLUMN_ORDER = Object.keys(getTableColumns(receipts)) as (keyof typeof receipts.$inferSelect)[];

/** The order of an attempt's columns, for rows that travel as arrays. */
export const ATTEMPT_COLUMN_ORDER = Object.keys(getTableColumns(attempts)) as (keyof typeof attempts.$inferSelect)[];
