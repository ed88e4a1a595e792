/**
 * The catalogue that a new deployment starts with: models and dated offers as they were published, one object a line in the JSON beside this.
 * Live price lists replace it; until then every price carries its date and where it was read.
 */
import { z } from 'zod';
import { capability, quantization, type Capability } from '#schema/catalog';
import { price, toPicoUsdPerToken, type Price } from '#schema/money';
import { findProvider } from '#providers/registry';
import modelRows from './models.json' with { type: 'json' };
import offerRows from './offers.json' with { type: 'json' };

/** A model to know from the start. `context` is the largest that any supplier offers, null when unknown. */
export const seedModel = z.strictObject({
  id: z.string(),
  name: z.string(),
  context: z.int().positive().nullable(),
  inputModalities: z.array(z.string()),
  outputModalities: z.array(z.string()),
});
export type SeedModel = z.infer<typeof seedModel>;

/** An offer to know from the start; callable once its provider's card has a URL and the deployment a key. */
export const seedOffer = z.strictObject({
  /** `<provider>:<model>`, with a third part where a provider offers a model more than once. */
  endpointId: z.string(),
  providerId: z.string(),
  modelId: z.string(),
  upstreamModel: z.string(),
  /** The provider's id, or with its variant or quantization (`chutes/fp8`); unique within a model. */
  tag: z.string(),
  /** A speed tier (`fast`, `turbo`, `highspeed`) or what tells two offers of one model apart. */
  variant: z.string().nullable(),
  /** Null where none was published; a published zero for both directions is more often unknown than free, and is null in the file too. */
  price: price.nullable(),
  priceValidFromMs: z.int().positive(),
  /** Null where nothing was published. */
  context: z.int().positive().nullable(),
  maxOutput: z.int().positive().nullable(),
  quantization: quantization.nullable(),
  capabilities: z.array(capability),
  /** Where the terms were read. */
  source: z.string().min(3),
});
export type SeedOffer = z.infer<typeof seedOffer>;

interface OfferRow {
  provider: string;
  model: string;
  upstreamModel: string;
  variant: string | null;
  usdPerMillion: { prompt: number; completion: number; cacheRead?: number } | null;
  context: number | null;
  maxOutput: number | null;
  quantization: string | null;
  date: string;
  source: string;
}

/** This catalogue lists models only where they were found to call tools. */
const TOOL_CALLING_SOURCE = 'npm @earendil-works/pi-ai@1.5.2';

/** Builds the seed: every model, and every offer of a provider that has a card. Prices are converted to pico-USD per token. */
export function catalogueSeed(): { models: SeedModel[]; offers: SeedOffer[] } {
  return { models: modelRows, offers: (offerRows as OfferRow[]).map(toSeedOffer) };
}

function toSeedOffer(row: OfferRow): SeedOffer {
  const mark = row.variant ?? row.quantization;
  return {
    endpointId: [row.provider, row.model, ...(row.variant === null ? [] : [row.variant])].join(':'),
    providerId: row.provider,
    modelId: row.model,
    upstreamModel: row.upstreamModel,
    tag: mark === null ? row.provider : `${row.provider}/${mark}`,
    variant: row.variant,
    price: toPrice(row.usdPerMillion),
    priceValidFromMs: Date.parse(row.date),
    context: row.context,
    maxOutput: row.maxOutput,
    quantization: row.quantization as SeedOffer['quantization'],
    capabilities: toCapabilities(row),
    source: row.source,
  };
}

function toPrice(published: OfferRow['usdPerMillion']): Price | null {
  if (published === null) return null;
  return {
    promptPicoUsdPerToken: toPicoUsdPerToken(published.prompt),
    completionPicoUsdPerToken: toPicoUsdPerToken(published.completion),
    ...(published.cacheRead === undefined ? {} : { cacheReadPicoUsdPerToken: toPicoUsdPerToken(published.cacheRead) }),
    requestNanoUsd: 0,
  };
}

function toCapabilities(row: OfferRow): Capability[] {
  const known = new Set(findProvider(row.provider)?.capabilities);
  if (row.source === TOOL_CALLING_SOURCE) known.add('tools');
  return [...known];
}
