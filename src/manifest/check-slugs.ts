/** Checks the names of supply in policies: a misspelt ban must not let in whom it means to keep out. */
import type { Manifest } from '#schema/manifest';
import type { ManifestSurroundings } from './surroundings.ts';
import type { Complaint } from './manifest-error.ts';
import { nearest } from './nearest.ts';

const LISTS = ['only', 'ignore', 'order'] as const;

/** A name in a policy's `only`, `ignore` or `order` that no provider, tag or endpoint has. */
export interface UnknownSlug {
  policy: string;
  list: (typeof LISTS)[number];
  place: number;
  slug: string;
  /** Whether nothing else in the list is known either. */
  isAlone: boolean;
}

/**
 * Finds the unknown names in policies. A provider's id, its tags (`chutes/fp8`), its catalogue endpoints (`chutes:qwen/qwen3-8b`), feeds in
 * the same ways and the manifest's own endpoints are known.
 */
export function unknownSlugs(manifest: Manifest, around: Pick<ManifestSurroundings, 'providers'>): UnknownSlug[] {
  const endpoints = new Set(manifest.endpoints.map(({ id }) => id));
  const feeds = new Set(manifest.price_feeds.map(({ id }) => id));
  const isKnown = (slug: string): boolean => {
    const supplier = slug.split(/[/:]/, 1)[0] ?? '';
    return endpoints.has(slug) || feeds.has(supplier) || around.providers.has(supplier);
  };
  return Object.entries(manifest.policies).flatMap(([policy, document]) =>
    LISTS.flatMap((list) => {
      const slugs = document[list] ?? [];
      const isAlone = !slugs.some(isKnown);
      return slugs.flatMap((slug, place) => (isKnown(slug) ? [] : [{ policy, list, place, slug, isAlone }]));
    }),
  );
}

/** Unknown names that are compared with known ones: more would take minutes. */
const UNKNOWN_MAX = 500;

/** Complains where an unknown name is close to a known one, or an allow-list holds no other. Names that only other routers have are fine beside known ones. */
export function checkNamedSupply(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  const known = [...around.providers.keys(), ...[...manifest.endpoints, ...manifest.price_feeds].map(({ id }) => id)];
  const unknown = unknownSlugs(manifest, around);
  const isNear = new Map<string, boolean>();
  for (const { slug } of unknown) {
    if (isNear.has(slug)) continue;
    if (isNear.size === UNKNOWN_MAX)
      return [{ path: ['policies'], onKey: true, message: `more than ${UNKNOWN_MAX} names that no provider, tag or endpoint has` }];
    isNear.set(slug, nearest(slug, known) !== undefined);
  }
  return unknown.flatMap(({ policy, list, place, slug, isAlone }) => {
    if (!(list === 'only' && isAlone) && isNear.get(slug) !== true) return [];
    const message = `no provider, tag or endpoint is called "${slug.slice(0, 100)}"`;
    return [{ path: ['policies', policy, list, place], message, allowed: known, word: slug }];
  });
}
