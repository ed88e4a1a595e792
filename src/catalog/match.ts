/** From the names that a caller uses to the models of a snapshot. */
import type { CatalogSnapshot, ModelEntry, Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import { MODEL_SUFFIXES } from '#schema/model-suffix';
import type { ProviderWishes } from '#schema/policy';
import { featureHint } from './foreign-names.ts';
import { nearNames } from './near-names.ts';

/** Models found, in the order of their names, without repeats; and the names that nothing answers to. */
export interface Match {
  entries: ModelEntry[];
  unknown: string[];
}

/** Resolves an alias to the model id it stands for; any other name is returned as it is. */
export function canonicalModel(snapshot: CatalogSnapshot, name: string): string {
  return snapshot.models.has(name) ? name : (snapshot.aliases.get(name) ?? name);
}

/** Answers whether a team may know of an offer: shared, or its own. */
export function isVisible(offer: Offer, teamId: string | null): boolean {
  return offer.ownerTeamId === null || offer.ownerTeamId === teamId;
}

/** Finds a model by id or alias. Null when there is none, or all that offers it is private to other teams. */
export function findModel(snapshot: CatalogSnapshot, name: string, teamId: string | null): ModelEntry | null {
  const entry = snapshot.models.get(canonicalModel(snapshot, name));
  if (!entry) return null;
  return entry.offers.length === 0 || entry.offers.some((offer) => isVisible(offer, teamId)) ? entry : null;
}

/** Counts the different models that names stand for; unknown ones count for nothing. */
export function countModels(snapshot: CatalogSnapshot, names: readonly string[], teamId: string | null): number {
  return new Set(names.map((name) => findModel(snapshot, name, teamId)).filter((entry) => entry !== null)).size;
}

function* visibleNames(snapshot: CatalogSnapshot, teamId: string | null): Iterable<string> {
  for (const id of snapshot.models.keys()) if (findModel(snapshot, id, teamId)) yield id;
  for (const alias of snapshot.aliases.keys()) if (findModel(snapshot, alias, teamId)) yield alias;
}

/** Names that a wrong one may stand for: where all but the suffix is right, the model with a suffix that there is, or without any. */
function nearModels(snapshot: CatalogSnapshot, name: string, teamId: string | null): string[] {
  const colon = name.lastIndexOf(':');
  const base = name.slice(0, Math.max(0, colon));
  if (findModel(snapshot, base, teamId) === null) return nearNames(name, visibleNames(snapshot, teamId));
  const suffix = name.slice(colon + 1);
  // A suffix that is right is wrong where a model is described and nothing is routed.
  const suffixes = MODEL_SUFFIXES.some((known) => known === suffix) ? [] : nearNames(suffix, MODEL_SUFFIXES);
  return suffixes.length === 0 ? [base] : suffixes.map((suffix) => `${base}:${suffix}`);
}

function didYouMean(near: readonly string[]): string {
  return near.length === 0 ? '' : ` Did you mean ${near.map((candidate) => `'${candidate}'`).join(', ')}?`;
}

/** Builds the error for a name that nothing answers to, with what to do instead or up to three names that were perhaps meant. */
export function modelNotFound(snapshot: CatalogSnapshot, name: string, teamId: string | null): GatewayError {
  const near = nearModels(snapshot, name, teamId);
  const feature = featureHint(name);
  const hint = feature === null ? didYouMean(near) : ` ${feature}`;
  return new GatewayError('model_not_found', `The model '${name.slice(0, 100)}' does not exist here.${hint}`, {
    param: 'model',
    metadata: { did_you_mean: near },
  });
}

/** Matches requested names. Throws GatewayError `model_not_found` when none of them is known to the team. */
export function match(snapshot: CatalogSnapshot, names: readonly string[], teamId: string | null): Match {
  const entries = new Set<ModelEntry>();
  const unknown: string[] = [];
  for (const name of names) {
    const entry = findModel(snapshot, name, teamId);
    if (entry) entries.add(entry);
    else unknown.push(name);
  }
  if (entries.size === 0) throw modelNotFound(snapshot, unknown[0] ?? '', teamId);
  return { entries: [...entries], unknown };
}

/**
 * Refuses a list in which no name is known: a misspelt provider must neither read as "nothing available" nor be let in by a ban that fails.
 * Providers that only other routers have are fine beside known ones, and alone in lists that allow others, where they are close to no
 * known name: clients bring such lists along. Throws GatewayError `invalid_request`.
 */
export function checkProviderNames(snapshot: CatalogSnapshot, wishes: ProviderWishes | null | undefined): void {
  for (const field of ['only', 'order', 'ignore'] as const) {
    const slugs = wishes?.[field];
    if (!slugs || slugs.length === 0 || slugs.some((slug) => isKnownSlug(snapshot, slug))) continue;
    const near = nearNames(slugs[0] ?? '', snapshot.providers.keys());
    const allowsOthers = field === 'ignore' || (field === 'order' && wishes?.allow_fallbacks !== false);
    if (allowsOthers && near.length === 0) continue;
    const hint = didYouMean(near);
    throw new GatewayError('invalid_request', `Invalid value for 'provider.${field}': no provider, tag or endpoint of that name.${hint}`, {
      param: `provider.${field}`,
    });
  }
}

function isKnownSlug(snapshot: CatalogSnapshot, slug: string): boolean {
  if (snapshot.providers.has(slug)) return true;
  for (const { offers } of snapshot.models.values()) {
    for (const offer of offers) if (offer.endpointId === slug || offer.tag === slug || offer.providerId === slug) return true;
  }
  return false;
}
