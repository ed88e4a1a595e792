/** Turns the manifest's own endpoints into rows. */
import type { Capability } from '#schema/catalog';
import type { ManifestEndpoint } from '#schema/manifest';
import type { CardFacts } from './card-facts.ts';
import { CONTEXT_DEFAULT, dataPolicyOf, keySecretOf, termsOf, verificationOf } from './compile-catalogue.ts';
import { compilePrice } from './compile-price.ts';
import type { DeploymentRows } from './deployment-rows.ts';
import { CUSTOM_PROVIDER } from './cross-check.ts';
import { describeModel } from './describe-model.ts';
import { secretNameOf } from './secrets.ts';

/** An endpoint whose capabilities are still known for what they are. */
type EndpointRow = DeploymentRows['endpoints'][number] & { capabilities: Capability[] };

/** Compiles endpoints, their prices, and the models that the catalogue does not have. */
export function compileEndpoints(
  endpoints: readonly ManifestEndpoint[],
  cards: ReadonlyMap<string, CardFacts>,
  known: DeploymentRows['models'],
  secrets: ReadonlyMap<string, string>,
): Pick<DeploymentRows, 'endpoints' | 'models' | 'offers'> {
  const contexts = new Map(known.map((model) => [model.id, model.context ?? null]));
  const operators = new Map<string, string>();
  const added = new Map<string, DeploymentRows['models'][number]>();
  const rows = endpoints.map((endpoint) => {
    const row = toEndpointRow(endpoint, cards.get(endpoint.provider), secrets, contexts.get(endpoint.model) ?? null);
    // Endpoints at one address go down together, so they count as one operator, named after the first.
    if (!operators.has(row.url)) operators.set(row.url, endpoint.owner ?? endpoint.id);
    if (!contexts.has(endpoint.model)) {
      const { modelId, capabilities } = row;
      added.set(modelId, describeModel(added.get(modelId), { modelId, capabilities, context: endpoint.context ?? null }));
    }
    return endpoint.provider === CUSTOM_PROVIDER ? { ...row, operatorId: operators.get(row.url) ?? endpoint.id } : row;
  });
  return {
    endpoints: rows,
    models: [...added.values()],
    offers: endpoints.map(({ id, price }) => ({ endpointId: id, validFromMs: null, ...termsOf(compilePrice(price)), source: 'manifest' })),
  };
}

function toEndpointRow(
  endpoint: ManifestEndpoint,
  card: CardFacts | undefined,
  secrets: ReadonlyMap<string, string>,
  modelContext: number | null,
): EndpointRow {
  const url = (endpoint.url ?? (endpoint.link === undefined ? card?.baseUrl : null) ?? `tunnel:${endpoint.id}`).replace(/\/+$/, '');
  const supply = endpoint.supply ?? card?.supply ?? 'selfhosted';
  const isTheirs = card?.baseUrl !== undefined && card.baseUrl === url;
  const unknownPolicy = { trains: null, retention_days: null, source: 'operator' };
  // A provider's key goes to the provider's own address only; anywhere else an endpoint brings its own.
  const providerKey = card !== undefined && isTheirs ? keySecretOf(card, secrets) : null;
  return {
    id: endpoint.id,
    providerId: endpoint.provider,
    operatorId: endpoint.provider,
    tag: endpoint.weights === undefined ? endpoint.provider : `${endpoint.provider}/${endpoint.weights}`,
    supply,
    ownerTeamId: endpoint.owner ?? null,
    modelId: endpoint.model,
    upstreamModel: endpoint.upstream_model ?? endpoint.model,
    url,
    dialect: endpoint.dialect ?? card?.dialect ?? 'openai-chat',
    keySecret: endpoint.key === undefined ? providerKey : secretNameOf(endpoint.key),
    engine: endpoint.engine ?? null,
    hardware: endpoint.hardware ?? null,
    quantization: endpoint.weights ?? 'unknown',
    kvCache: endpoint.kv_cache ?? 'unknown',
    context: endpoint.context ?? modelContext ?? CONTEXT_DEFAULT,
    maxOutput: endpoint.max_output ?? null,
    maxConcurrency: endpoint.max_concurrency ?? null,
    capabilities: endpoint.capabilities ?? card?.capabilities ?? [],
    jurisdiction: endpoint.jurisdiction ?? (card !== undefined && isTheirs ? card.jurisdiction.countries : []),
    dataPolicy: endpoint.data_policy ?? (card !== undefined && isTheirs ? dataPolicyOf(card) : unknownPolicy),
    verification: verificationOf(supply),
    disabled: false,
    source: 'manifest',
  };
}
