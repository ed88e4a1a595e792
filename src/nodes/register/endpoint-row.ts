/** What operators and nodes say of an endpoint, as rows. Pure. Whatever they claim, it is an operator's word at a custom address. */
import type { Capability, Quantization, VerificationState } from '#schema/catalog';
import type { NodeDescription, NodeModel } from '#schema/node';
import { TUNNEL_SCHEME, type CreateEndpoint, type JoinNode } from '#schema/registration';
import type { StoredEndpoint } from './registrations-store.ts';
import { toSlug } from './slug.ts';

/** Provider of every endpoint that registers itself: nobody can pose as a known one. */
export const CUSTOM_PROVIDER = 'selfhosted';
/** Tokens, where neither endpoint nor model states a context. */
const CONTEXT_DEFAULT = 8192;

/** Whose the endpoint is, and what the deployment knows of its model; `context` in tokens, null where it does not. */
export interface Surroundings {
  operatorId: string;
  teamId: string | null;
  modelContext: number | null;
  keySecret: string | null;
}

/** Builds the row of an endpoint that is called at its own address. */
export function toEndpointRow(wish: CreateEndpoint, around: Surroundings): StoredEndpoint {
  const { operatorId, teamId, modelContext, keySecret } = around;
  const supply = wish.supply ?? 'selfhosted';
  const ownerTeamId = teamId ?? wish.owner ?? null;
  return {
    id: wish.id,
    ...custom({ operatorId, supply, quantization: wish.weights ?? 'unknown', ownerTeamId }),
    modelId: wish.model,
    upstreamModel: wish.upstream_model ?? wish.model,
    url: wish.url.replace(/\/+$/, ''),
    dialect: wish.dialect ?? 'openai-chat',
    keySecret,
    engine: wish.engine ?? null,
    hardware: wish.hardware ?? null,
    kvCache: wish.kv_cache ?? 'unknown',
    context: wish.context ?? modelContext ?? CONTEXT_DEFAULT,
    maxOutput: wish.max_output ?? null,
    maxConcurrency: wish.max_concurrency ?? null,
    capabilities: wish.capabilities ?? [],
    jurisdiction: wish.jurisdiction ?? [],
    dataPolicy: { trains: null, retention_days: null, ...wish.data_policy, source: 'operator' },
  };
}

/** Builds the row of one model of a node. */
export function toNodeEndpointRow(
  { id, model, described }: { id: string; model: string; described: NodeModel },
  wish: JoinNode,
  { operatorId, teamId, modelContext }: Omit<Surroundings, 'keySecret'>,
): StoredEndpoint {
  const { engine, gpu } = wish.description;
  return {
    id,
    ...custom({ operatorId, supply: 'selfhosted', quantization: described.quantization, ownerTeamId: teamId }),
    modelId: model,
    upstreamModel: described.upstreamModel,
    url: `${TUNNEL_SCHEME}${wish.node}`,
    dialect: 'openai-chat',
    keySecret: null,
    engine: engine.name,
    hardware: toHardware(gpu),
    kvCache: described.kvCache,
    context: described.context ?? modelContext ?? CONTEXT_DEFAULT,
    maxOutput: null,
    maxConcurrency: wish.max_concurrency ?? described.capacity.maxSequences,
    capabilities: declaredOf(described),
    jurisdiction: wish.jurisdiction ?? [],
    dataPolicy: { trains: null, retention_days: null, source: 'operator' },
  };
}

/** Builds the tag by which policies name endpoints of one precision: `selfhosted/fp8`, or `selfhosted` alone where it is unknown. */
export function tagOf(quantization: Quantization): string {
  return quantization === 'unknown' ? CUSTOM_PROVIDER : `${CUSTOM_PROVIDER}/${quantization}`;
}

/** Lists what a node may declare of a model: `messages` follows from the dialect. */
export function declaredOf({ capabilities }: Pick<NodeModel, 'capabilities'>): Capability[] {
  return capabilities.filter((capability) => capability !== 'messages');
}

/** Answers how far an endpoint is trusted once its probation is over; a subnet’s never is by its word alone. */
export function verificationOf(supply: string): VerificationState {
  return supply === 'subnet' ? 'unverified' : 'verified';
}

interface Custom {
  operatorId: string;
  supply: string;
  quantization: Quantization;
  ownerTeamId: string | null;
}

function custom({ operatorId, supply, quantization, ownerTeamId }: Custom) {
  return {
    providerId: CUSTOM_PROVIDER,
    operatorId,
    supply,
    ownerTeamId,
    tag: tagOf(quantization),
    quantization,
    verification: verificationOf(supply),
    disabled: false,
    source: 'registered',
  };
}

/** `NVIDIA GeForce RTX 4090` is an `rtx-4090`, as manifests and policies call it. */
function toHardware(gpu: NodeDescription['gpu']): StoredEndpoint['hardware'] {
  return gpu && { gpu: toSlug(gpu.name.replace(/^(nvidia|amd|intel)\s+/i, '').replace(/^(geforce|tesla)\s+/i, '')), count: gpu.count };
}
