/** What a wish to change an endpoint writes into its row. Pure. */
import type { UpdateEndpoint } from '#schema/registration';
import { tagOf, verificationOf } from './endpoint-row.ts';
import type { StoredEndpoint } from './registrations-store.ts';

type Columns = Partial<Omit<StoredEndpoint, 'id' | 'source'>>;

/** Translates a wish into columns: what it does not name is left out. `known` are those that need more than the wish. */
export function changedColumns(wish: UpdateEndpoint, known: { url: string; keySecret?: string | null }): Columns {
  const { weights, data_policy: dataPolicy, supply } = wish;
  return withoutUndefined({
    ...(wish.url !== undefined && { url: known.url }),
    keySecret: known.keySecret,
    ownerTeamId: wish.owner,
    supply,
    verification: supply && verificationOf(supply),
    modelId: wish.model,
    upstreamModel: wish.upstream_model,
    dialect: wish.dialect,
    engine: wish.engine,
    hardware: wish.hardware,
    quantization: weights,
    tag: weights && tagOf(weights),
    kvCache: wish.kv_cache,
    context: wish.context,
    maxOutput: wish.max_output,
    maxConcurrency: wish.max_concurrency,
    capabilities: wish.capabilities,
    jurisdiction: wish.jurisdiction,
    // Whoever registers an endpoint speaks as its operator.
    dataPolicy: dataPolicy && { ...dataPolicy, source: 'operator' },
  });
}

function withoutUndefined(columns: { [Column in keyof Columns]: Columns[Column] | undefined }): Columns {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}
