/** Rows as people know them: the manifest's own words and units, without keys, hashes and bookkeeping. Pure. */
import { fieldChanges } from '#schema/audit';
import type { Change } from '#schema/change';
import { toUsd } from '#schema/money';
import type { PriceFeedTerms } from '#schema/price-feed';

/** A row as SQLite keeps it, by column. */
export type Row = Record<string, string | number | null>;

/** Tables that applying writes. */
export type AppliedTable =
  | 'meta'
  | 'teams'
  | 'keys'
  | 'policies'
  | 'providers'
  | 'models'
  | 'aliases'
  | 'endpoints'
  | 'claims'
  | 'price_feeds'
  | 'offers';

interface Words {
  object: string;
  id(row: Row): string;
  fields(row: Row): Record<string, unknown>;
}

const json = (value: Row[string] | undefined): unknown => (typeof value === 'string' ? (JSON.parse(value) as unknown) : null);
const flag = (value: Row[string] | undefined): boolean => value === 1;
const instant = (ms: Row[string] | undefined): string | null => (typeof ms === 'number' ? new Date(ms).toISOString() : null);
const budget = (row: Row): unknown =>
  typeof row.budget_nano_usd === 'number' ? { usd: toUsd(row.budget_nano_usd), per: row.budget_period } : null;
/** A key of the file itself travels under a name made from its hash. */
const secretName = (name: Row[string] | undefined): unknown =>
  typeof name === 'string' && name.startsWith('LITERAL_') ? 'written in the file' : (name ?? null);
const usdPerMillion = (pico: Row[string] | undefined): number | null => (typeof pico === 'number' ? pico / 1e6 : null);

const WORDS: Readonly<Record<AppliedTable, Words>> = {
  meta: { object: 'defaults', id: () => 'defaults', fields: (row) => ({ policy: row.value }) },
  teams: {
    object: 'teams',
    id: (row) => String(row.id),
    fields: (row) => ({ policy: row.policy, budget: budget(row), limits: json(row.limits) }),
  },
  keys: {
    object: 'keys',
    id: (row) => (row.kind === 'management' ? String(row.name) : `${row.team_id}/${row.name}`),
    fields: (row) => ({
      kind: row.kind,
      team: row.team_id,
      policy: row.policy,
      models: json(row.models),
      budget: budget(row),
      limits: json(row.limits),
      expires: instant(row.expires_at_ms),
      disabled: flag(row.disabled),
    }),
  },
  policies: { object: 'policies', id: (row) => String(row.name), fields: (row) => json(row.document) as Record<string, unknown> },
  providers: {
    object: 'providers',
    id: (row) => String(row.id),
    fields: (row) => ({ name: row.name, supply: row.supply, secret: secretName(row.key_secret) }),
  },
  models: {
    object: 'models',
    id: (row) => String(row.id),
    fields: (row) => ({ name: row.name, context: row.context, input: json(row.input_modalities), output: json(row.output_modalities) }),
  },
  aliases: { object: 'aliases', id: (row) => String(row.alias), fields: (row) => ({ model: row.model_id }) },
  endpoints: {
    object: 'endpoints',
    id: (row) => String(row.id),
    fields: (row) => ({
      provider: row.provider_id,
      supply: row.supply,
      owner: row.owner_team_id,
      model: row.model_id,
      upstream_model: row.upstream_model,
      url: row.url,
      secret: secretName(row.key_secret),
      dialect: row.dialect,
      engine: row.engine,
      hardware: json(row.hardware),
      weights: row.quantization,
      kv_cache: row.kv_cache,
      context: row.context,
      max_output: row.max_output,
      max_concurrency: row.max_concurrency,
      capabilities: json(row.capabilities),
      jurisdiction: json(row.jurisdiction),
      data_policy: json(row.data_policy),
      disabled: flag(row.disabled),
    }),
  },
  claims: {
    object: 'claims',
    id: (row) => `${row.subject} ${row.kind} ${row.source}`,
    fields: (row) => ({ evidence: row.evidence, observed: instant(row.observed_at_ms), expires: instant(row.expires_at_ms) }),
  },
  price_feeds: {
    object: 'price_feeds',
    id: (row) => String(row.id),
    fields: (row) => {
      const { keySecret, endpointUrl, ...terms } = json(row.terms) as PriceFeedTerms;
      return { ...terms, endpoint_url: endpointUrl, secret: secretName(keySecret) };
    },
  },
  offers: {
    object: 'prices',
    id: (row) => String(row.endpoint_id),
    fields: (row) => ({
      prompt: usdPerMillion(row.prompt_pico_usd_per_token),
      completion: usdPerMillion(row.completion_pico_usd_per_token),
      cache_read: usdPerMillion(row.cache_read_pico_usd_per_token),
      cache_write: usdPerMillion(row.cache_write_pico_usd_per_token),
      request: typeof row.request_nano_usd === 'number' ? toUsd(row.request_nano_usd) : null,
      unit: typeof row.unit_pico_usd === 'number' ? row.unit_pico_usd / 1e12 : null,
    }),
  },
};

/** Describes what happens to one row. `before` is null where it is new, `after` where it goes. */
export function describeChange(table: AppliedTable, before: Row | null, after: Row | null, action: Change['action']): Change {
  const words = WORDS[table];
  const row = (after ?? before) as Row;
  const isPublished = (before === null || after === null) && isOfCatalogue(table, row);
  const fields = isPublished ? {} : fieldChanges(before && flatten(words.fields(before)), after && flatten(words.fields(after)));
  if (table === 'keys' && after !== null && before?.hash !== after.hash)
    fields.key = { from: null, to: before === null ? 'set' : 'changed' };
  const object = table === 'keys' && row.kind === 'management' ? 'management_keys' : words.object;
  return { object, id: words.id(row), action, fields };
}

/** Tells what was published from what somebody wrote. The source of a price or a claim is where it was read. */
function isOfCatalogue(table: AppliedTable, { source }: Row): boolean {
  return table === 'claims' || (table === 'offers' ? source !== 'manifest' : source === 'catalogue');
}

/** Writes nested fields as paths, `{ budget: { usd: 5 } }` as `{ 'budget.usd': 5 }`. */
function flatten(fields: Readonly<Record<string, unknown>>, prefix = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(flatten(value as Record<string, unknown>, `${prefix}${name}.`))
        : [[prefix + name, value]],
    ),
  );
}
