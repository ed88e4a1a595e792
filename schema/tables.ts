/**
 * D1 tables of what is managed: teams, keys, policies, supply and its prices, and the trail of changes; what happened to requests is in
 * ledger-tables.ts. Amounts are integers in nano-USD, prices in pico-USD per token, instants in epoch milliseconds.
 * Rows become domain objects in `store.ts` files and nowhere else.
 */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** Small facts about the deployment, such as the catalogue version. */
export const meta = sqliteTable('meta', {
  name: text().primaryKey(),
  value: text().notNull(),
});

export const teams = sqliteTable('teams', {
  id: text().primaryKey(),
  policy: text(),
  budgetNanoUsd: integer('budget_nano_usd'),
  /** `day`, `week`, `month` or `total`; null without budget. */
  budgetPeriod: text('budget_period'),
  limits: text({ mode: 'json' }),
  createdAtMs: integer('created_at_ms').notNull(),
});

export const keys = sqliteTable(
  'keys',
  {
    id: text().primaryKey(),
    /** SHA-256 of the key, hex. The key itself is never stored. */
    hash: text().notNull().unique(),
    /** First and last characters, for people: `sk-hr-ab…yz`. */
    label: text().notNull(),
    name: text().notNull(),
    /** Null for deployment-wide management keys. */
    teamId: text('team_id'),
    /** `inference`, `management` or `operator`. */
    kind: text().notNull(),
    policy: text(),
    models: text({ mode: 'json' }).$type<string[]>(),
    budgetNanoUsd: integer('budget_nano_usd'),
    budgetPeriod: text('budget_period'),
    disabled: integer({ mode: 'boolean' }).notNull().default(false),
    expiresAtMs: integer('expires_at_ms'),
    /** `manifest` keys follow the manifest; others are left alone by it. */
    source: text().notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
    /** `requests_per_minute`, `tokens_per_minute`, `concurrent`; null or absent where nothing is limited. */
    limits: text({ mode: 'json' }),
    /** SHA-256 of the key that this one replaced, hex; it works until `previous_expires_at_ms`. */
    previousHash: text('previous_hash'),
    previousExpiresAtMs: integer('previous_expires_at_ms'),
    /** Whose endpoints an `operator` key manages; null for the other kinds. */
    operatorId: text('operator_id'),
  },
  (table) => [index('keys_team').on(table.teamId), uniqueIndex('keys_previous_hash').on(table.previousHash)],
);

export const policies = sqliteTable('policies', {
  name: text().primaryKey(),
  version: integer().notNull(),
  /** The policy document with `extends` already folded in. */
  document: text({ mode: 'json' }).notNull(),
  source: text().notNull(),
  updatedAtMs: integer('updated_at_ms').notNull(),
});

/** Every version that a policy has had, so that receipts which name one can be read years later. */
export const policyVersions = sqliteTable(
  'policy_versions',
  {
    name: text().notNull(),
    version: integer().notNull(),
    document: text({ mode: 'json' }).notNull(),
    appliedAtMs: integer('applied_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

/** Every manifest that was applied, newest last. */
export const manifests = sqliteTable('manifests', {
  version: integer().primaryKey({ autoIncrement: true }),
  /** SHA-256 of the text, hex. */
  digest: text().notNull(),
  /** The YAML as it was applied; null where it held keys themselves, which only `npm start` accepts. */
  text: text(),
  appliedAtMs: integer('applied_at_ms').notNull(),
  /** Id of the key that applied it, or `npm start`. */
  actor: text().notNull(),
});

/** Provider keys that teams brought (BYOK), sealed with AES-GCM; only the Worker with the deployment's secret can open them. */
export const providerKeys = sqliteTable(
  'provider_keys',
  {
    id: text().primaryKey(),
    teamId: text('team_id').notNull(),
    providerId: text('provider_id').notNull(),
    name: text().notNull(),
    /** First and last characters, for people. */
    label: text().notNull(),
    /** Where the key may be sent, such as `https://api.together.xyz`; part of what the seal covers. */
    origin: text().notNull(),
    /** Which deployment secret sealed it: the first 16 hex digits of its SHA-256. */
    sealKeyId: text('seal_key_id').notNull(),
    /** Initialisation vector and ciphertext, base64. */
    sealed: text().notNull(),
    disabled: integer({ mode: 'boolean' }).notNull().default(false),
    createdAtMs: integer('created_at_ms').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [uniqueIndex('provider_keys_team_provider').on(table.teamId, table.providerId)],
);

/** Every change that somebody made through management: who, when, what, from which version to which. Rows are never changed. */
export const audit = sqliteTable(
  'audit',
  {
    id: text().primaryKey(),
    atMs: integer('at_ms').notNull(),
    /** Id of the key that asked for it, or `npm start`. */
    actor: text().notNull(),
    /** Such as `manifest.apply`, `key.create`, `credits.add`. */
    action: text().notNull(),
    /** What was changed: `key:<id>`, `team:<id>`, `manifest`, `provider_key:<id>`. */
    object: text().notNull(),
    /** Null where the object has no versions or did not exist. */
    fromVersion: text('from_version'),
    toVersion: text('to_version'),
    /** Fields by name, `{ "limit": { "from": 5, "to": 10 } }`; never a key. */
    changes: text({ mode: 'json' }).notNull(),
  },
  (table) => [index('audit_time').on(table.atMs)],
);

export const providers = sqliteTable('providers', {
  id: text().primaryKey(),
  name: text().notNull(),
  supply: text().notNull(),
  /** Name of the secret that holds our key; null when the provider takes none or each endpoint has its own. */
  keySecret: text('key_secret'),
  source: text().notNull(),
});

export const models = sqliteTable('models', {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAtS: integer('created_at_s').notNull(),
  context: integer(),
  inputModalities: text('input_modalities', { mode: 'json' }).$type<string[]>().notNull(),
  outputModalities: text('output_modalities', { mode: 'json' }).$type<string[]>().notNull(),
  source: text().notNull(),
});

export const aliases = sqliteTable('aliases', {
  alias: text().primaryKey(),
  modelId: text('model_id').notNull(),
  source: text().notNull(),
});

export const endpoints = sqliteTable(
  'endpoints',
  {
    id: text().primaryKey(),
    providerId: text('provider_id').notNull(),
    operatorId: text('operator_id').notNull(),
    tag: text().notNull(),
    supply: text().notNull(),
    ownerTeamId: text('owner_team_id'),
    modelId: text('model_id').notNull(),
    upstreamModel: text('upstream_model').notNull(),
    url: text().notNull(),
    dialect: text().notNull(),
    keySecret: text('key_secret'),
    engine: text(),
    hardware: text({ mode: 'json' }).$type<{ gpu: string; count: number }>(),
    quantization: text().notNull(),
    kvCache: text('kv_cache').notNull(),
    context: integer().notNull(),
    maxOutput: integer('max_output'),
    maxConcurrency: integer('max_concurrency'),
    capabilities: text({ mode: 'json' }).$type<string[]>().notNull(),
    jurisdiction: text({ mode: 'json' }).$type<string[]>().notNull(),
    dataPolicy: text('data_policy', { mode: 'json' }).notNull(),
    verification: text().notNull(),
    disabled: integer({ mode: 'boolean' }).notNull().default(false),
    /** `catalogue`, `manifest`, `registered`, or the feed that lists it (`feed:<id>`). */
    source: text().notNull(),
  },
  (table) => [index('endpoints_model').on(table.modelId)],
);

/** Prices of an endpoint from `valid_from_ms` until the next row of the same endpoint. */
export const offers = sqliteTable(
  'offers',
  {
    endpointId: text('endpoint_id').notNull(),
    validFromMs: integer('valid_from_ms').notNull(),
    /** Null prices mean unknown, never free. */
    promptPicoUsdPerToken: integer('prompt_pico_usd_per_token'),
    completionPicoUsdPerToken: integer('completion_pico_usd_per_token'),
    cacheReadPicoUsdPerToken: integer('cache_read_pico_usd_per_token'),
    cacheWritePicoUsdPerToken: integer('cache_write_pico_usd_per_token'),
    requestNanoUsd: integer('request_nano_usd').notNull().default(0),
    /** Per image, character, second or search; null where tokens are billed. */
    unitPicoUsd: integer('unit_pico_usd'),
    /** Where the price was read: a page, `manifest`, `feed:<id>`; `registered` where an operator has set it, `manager` where a manager has. */
    source: text().notNull(),
    /** The model that an operator asks it for: an endpoint may come to serve another, its history may not. Null elsewhere. */
    modelId: text('model_id'),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.validFromMs] })],
);

/** Evidence for privacy tiers. `subject` is an endpoint id, or `provider:<id>` for all endpoints of a provider. */
export const claims = sqliteTable(
  'claims',
  {
    subject: text().notNull(),
    /** `no_training`, `zero_retention`, `attested` or `blind`. */
    kind: text().notNull(),
    /** `hardware`, `contract`, `provider` or `operator`. */
    source: text().notNull(),
    evidence: text().notNull(),
    observedAtMs: integer('observed_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms'),
  },
  (table) => [primaryKey({ columns: [table.subject, table.kind, table.source] })],
);
