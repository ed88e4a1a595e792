/**
 * D1 tables of supply that joins by itself: operators, the endpoints and nodes that they register, and the feeds that prices come from.
 * Instants in epoch milliseconds, prices in pico-USD per token. Rows become domain objects in `store.ts` files and nowhere else.
 */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Whoever registers endpoints: traffic grows with what an operator has served, over all its endpoints. */
export const operators = sqliteTable('operators', {
  id: text().primaryKey(),
  name: text().notNull(),
  /** Null: its endpoints serve everybody. */
  teamId: text('team_id'),
  /** Requests of clients that its endpoints have completed; attempts that began before `counted_to_ms` are in it. */
  cleanCompletions: integer('clean_completions').notNull().default(0),
  countedToMs: integer('counted_to_ms').notNull(),
  createdAtMs: integer('created_at_ms').notNull(),
  /** Whose requests they were, while it is on its way (`Customers`); null before the first. */
  customers: text({ mode: 'json' }).$type<Record<string, number>>(),
});

/** Where a registered endpoint stands; what it is stands in `endpoints`, under the source `registered`. */
export const registrations = sqliteTable(
  'registrations',
  {
    endpointId: text('endpoint_id').primaryKey(),
    operatorId: text('operator_id').notNull(),
    /** Null for endpoints that are called at their own address. */
    nodeId: text('node_id'),
    state: text().notNull(),
    reason: text(),
    /** Since when it is in this state. */
    sinceMs: integer('since_ms').notNull(),
    /** What the endpoint must serve to prove that it is the operator's; null for nodes and where a manager vouches. */
    challenge: text(),
    provenAtMs: integer('proven_at_ms'),
    /** Addresses that its host had when it was proven; null for nodes and private hosts. */
    addresses: text({ mode: 'json' }).$type<string[]>(),
    /** What the last probe saw (`ProbeReport`); null before the first. */
    seen: text({ mode: 'json' }),
    /** What is expected of it (`ExpectedService`) and what it holds (`NodeCapacity`); null where nothing says so. */
    expected: text({ mode: 'json' }),
    capacity: text({ mode: 'json' }),
    probedAtMs: integer('probed_at_ms'),
    /** When it is to be looked at again. */
    nextProbeAtMs: integer('next_probe_at_ms').notNull(),
    /** Probes in a row that failed. */
    failedProbes: integer('failed_probes').notNull().default(0),
    createdAtMs: integer('created_at_ms').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
    /** Id of the management key that vouches for it, and since when; null where nobody does. */
    vouchedBy: text('vouched_by'),
    vouchedAtMs: integer('vouched_at_ms'),
  },
  (table) => [
    index('registrations_operator').on(table.operatorId),
    index('registrations_node').on(table.nodeId),
    index('registrations_due').on(table.nextProbeAtMs),
  ],
);

/** Every change of a registered endpoint's state. Rows are never changed. */
export const registrationEvents = sqliteTable(
  'registration_events',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    endpointId: text('endpoint_id').notNull(),
    atMs: integer('at_ms').notNull(),
    /** Null for the first. */
    fromState: text('from_state'),
    toState: text('to_state').notNull(),
    reason: text(),
    /** Id of a key, `node:<id>`, `probe` or `schedule`. */
    actor: text().notNull(),
  },
  (table) => [index('registration_events_endpoint').on(table.endpointId, table.id)],
);

/** The keys that registered endpoints ask for, sealed with AES-GCM to the endpoint and its origin. */
export const endpointKeys = sqliteTable('endpoint_keys', {
  endpointId: text('endpoint_id').primaryKey(),
  origin: text().notNull(),
  sealKeyId: text('seal_key_id').notNull(),
  sealed: text().notNull(),
  updatedAtMs: integer('updated_at_ms').notNull(),
});

/** Nodes that have joined over an outbound link, known by their Ed25519 key. */
export const nodes = sqliteTable(
  'nodes',
  {
    id: text().primaryKey(),
    operatorId: text('operator_id').notNull(),
    /** Raw, base64. */
    publicKey: text('public_key').notNull(),
    description: text({ mode: 'json' }).notNull(),
    /** The operator wants it to get nothing new. */
    drained: integer({ mode: 'boolean' }).notNull().default(false),
    joinedAtMs: integer('joined_at_ms').notNull(),
    /** When its link was last opened or closed. */
    linkedAtMs: integer('linked_at_ms'),
    unlinkedAtMs: integer('unlinked_at_ms'),
    /** Null while it belongs to the deployment. */
    leftAtMs: integer('left_at_ms'),
    /** Why it can serve nothing now, in its own words; null where it can. */
    trouble: text(),
  },
  (table) => [index('nodes_operator').on(table.operatorId)],
);

/** Tokens that join one node each, once. */
export const joinTokens = sqliteTable('join_tokens', {
  /** SHA-256 of the token, hex. */
  hash: text().primaryKey(),
  operatorId: text('operator_id').notNull(),
  /** The only name that the node may take; null: any. */
  nodeId: text('node_id'),
  createdBy: text('created_by').notNull(),
  createdAtMs: integer('created_at_ms').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
  usedAtMs: integer('used_at_ms'),
  usedByNodeId: text('used_by_node_id'),
});

/** Lists that prices are read from, and what came of reading them. */
export const priceFeeds = sqliteTable('price_feeds', {
  id: text().primaryKey(),
  /** What the manifest says of it (`PriceFeedTerms`); null for the list of a known provider, which stands on its card. */
  terms: text({ mode: 'json' }),
  /** `manifest` or `card`. */
  source: text().notNull(),
  /** When it was last read; null: never. */
  readAtMs: integer('read_at_ms'),
  /** When it was last read without complaint; null: never. */
  goodAtMs: integer('good_at_ms'),
  /** Why the last reading failed or was not believed; null where neither. */
  error: text(),
  nextReadAtMs: integer('next_read_at_ms').notNull().default(0),
  /** Readings in a row that failed. */
  failedReadings: integer('failed_readings').notNull().default(0),
  /** Models that the last good reading listed, and prices that it changed. */
  modelCount: integer('model_count').notNull().default(0),
  changeCount: integer('change_count').notNull().default(0),
  /** Good readings in a row that did not list it, by id of an endpoint that the feed has brought. */
  missing: text({ mode: 'json' }).$type<Record<string, number>>().notNull().default({}),
});

/** Prices that a feed has stated or an operator has asked, and that nobody has believed yet. */
export const heldPrices = sqliteTable(
  'held_prices',
  {
    endpointId: text('endpoint_id').notNull(),
    /** The feed, or `operator:<id>`. */
    feedId: text('feed_id').notNull(),
    seenAtMs: integer('seen_at_ms').notNull(),
    /** Prices in the columns' names of `offers`. */
    terms: text({ mode: 'json' }).notNull(),
    /** Why it was held, for people. */
    reason: text().notNull(),
    /** `accepted` or `rejected`; null while nobody has decided. */
    decision: text(),
    decidedBy: text('decided_by'),
    decidedAtMs: integer('decided_at_ms'),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.seenAtMs] })],
);
