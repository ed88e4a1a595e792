/** An endpoint that a feed brings, as rows. Pure. */
import type { Capability, DialectId } from '#schema/catalog';
import { feedSource, type PriceFeedTerms } from '#schema/price-feed';
import type { BroughtEndpoint } from './reconcile.ts';

/** Context in tokens where the list does not state one, as for endpoints of the catalogue. */
const CONTEXT_DEFAULT = 8192;

const BILLED_BY_UNIT: ReadonlySet<Capability> = new Set(['images', 'speech', 'transcription']);

export interface BroughtRows {
  endpoint: {
    id: string;
    providerId: string;
    operatorId: string;
    tag: string;
    supply: string;
    modelId: string;
    upstreamModel: string;
    url: string;
    dialect: DialectId;
    keySecret: string | null;
    quantization: string;
    context: number;
    maxOutput: number | null;
    capabilities: readonly string[];
    dataPolicy: { trains: null; retention_days: null; source: 'operator' };
    verification: 'verified' | 'unverified';
    source: string;
  };
  model: {
    id: string;
    name: string;
    createdAtS: number;
    context: number | null;
    inputModalities: readonly string[];
    outputModalities: readonly string[];
    source: string;
  };
}

/**
 * Builds the rows of an endpoint. What a list says of privacy and places is not taken over: a document that can change at any hour must not
 * let traffic in where a policy asks for either.
 */
export function toBroughtRows(feedId: string, terms: PriceFeedTerms, { endpointId, modelId, listed }: BroughtEndpoint): BroughtRows {
  const { provider, supply, endpointUrl, keySecret } = terms;
  const source = feedSource(feedId);
  const context = listed.context ?? CONTEXT_DEFAULT;
  return {
    endpoint: {
      id: endpointId,
      providerId: provider,
      operatorId: provider,
      tag: listed.quantization === null ? provider : `${provider}/${listed.quantization}`,
      supply,
      modelId,
      upstreamModel: listed.upstreamModel,
      url: endpointUrl,
      dialect: 'openai-chat',
      keySecret,
      quantization: listed.quantization ?? 'unknown',
      context,
      maxOutput: listed.maxOutput === null ? null : Math.min(listed.maxOutput, context),
      // What is billed by its own unit cannot be charged for without the price of one.
      capabilities: listed.capabilities.filter((capability) => !BILLED_BY_UNIT.has(capability) || listed.unit !== null),
      dataPolicy: { trains: null, retention_days: null, source: 'operator' },
      verification: supply === 'subnet' ? 'unverified' : 'verified',
      source,
    },
    model: {
      id: modelId,
      name: listed.name ?? modelId,
      createdAtS: 0,
      context: listed.context,
      inputModalities: listed.inputModalities ?? ['text'],
      outputModalities: listed.outputModalities ?? ['text'],
      source,
    },
  };
}
