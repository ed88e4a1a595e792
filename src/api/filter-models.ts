/** Which models a query asks for. What is not known of a model or endpoint satisfies no filter. */
import { tierRank, type ModelEntry, type Offer } from '#schema/catalog';
import { toPicoUsdPerToken } from '#schema/money';
import { statedTier } from '#src/catalog/stated-tier';
import { supportedParameters, toArchitecture } from './model-body.ts';
import { unknownFacts, type ModelsQuery } from './models-query.ts';
import { liesIn } from './region.ts';

const DAY_S = 86_400;
const UNKNOWN_FACTS = Object.keys(unknownFacts.shape) as (keyof typeof unknownFacts.shape)[];

/** Answers whether a query asks for a model: its own facts fit, and one of its offers fits as a whole. */
export function isWanted({ model, offers }: ModelEntry, query: ModelsQuery, nowMs: number): boolean {
  if (UNKNOWN_FACTS.some((name) => query[name] !== undefined)) return false;
  return fitsModel(model, query, nowMs) && offers.some((offer) => fitsOffer(offer, query, nowMs));
}

function fitsModel(model: ModelEntry['model'], query: ModelsQuery, nowMs: number): boolean {
  const text = query.q?.toLowerCase() ?? '';
  const { input_modalities: inputs, output_modalities: outputs, tokenizer } = toArchitecture(model);
  return (
    (model.id.toLowerCase().includes(text) || model.name.toLowerCase().includes(text)) &&
    query.output_modalities.some((kind) => kind === 'all' || outputs.includes(kind)) &&
    (query.input_modalities ?? []).every((kind) => inputs.includes(kind)) &&
    isListed(query.model_authors, [model.id.split('/')[0] ?? '']) &&
    isListed(query.arch === undefined ? undefined : [query.arch], [tokenizer]) &&
    isWithin(ageDays(model.createdAtS, nowMs), query.min_age_days, query.max_age_days)
  );
}

function fitsOffer(offer: Offer, query: ModelsQuery, nowMs: number): boolean {
  const { price, context, jurisdiction, providerId, providerName } = offer;
  const parameters = supportedParameters([offer]);
  return (
    (query.supported_parameters ?? []).every((name) => parameters.includes(name)) &&
    context >= (query.context ?? 0) &&
    isWithin(price?.promptPicoUsdPerToken ?? null, toPico(query.min_price), toPico(query.max_price)) &&
    isWithin(price?.completionPicoUsdPerToken ?? null, toPico(query.min_output_price), toPico(query.max_output_price)) &&
    isListed(query.providers, [providerId, providerName]) &&
    (query.zdr === undefined || tierRank(statedTier(offer, nowMs).tier) >= tierRank('zero_retention')) &&
    (query.region === undefined || liesIn(query.region, jurisdiction))
  );
}

/** Answers whether one of `names` is on a list, any case; without a list everything is. */
function isListed(list: readonly string[] | undefined, names: readonly string[]): boolean {
  if (list === undefined) return true;
  const wanted = list.map((word) => word.toLowerCase());
  return names.some((name) => wanted.includes(name.toLowerCase()));
}

function isWithin(value: number | null, least: number | undefined, most: number | undefined): boolean {
  if (least === undefined && most === undefined) return true;
  return value !== null && value >= (least ?? 0) && value <= (most ?? Infinity);
}

function toPico(usdPerMillion: number | undefined): number | undefined {
  return usdPerMillion === undefined ? undefined : toPicoUsdPerToken(usdPerMillion);
}

/** Null where nobody says when the model came out. */
function ageDays(createdAtS: number, nowMs: number): number | null {
  return createdAtS === 0 ? null : (nowMs / 1000 - createdAtS) / DAY_S;
}
