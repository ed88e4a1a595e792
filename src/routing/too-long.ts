import type { Offer } from '#schema/catalog';
import type { Demand } from './demand.ts';
import type { HardFilter } from './filters.ts';
import type { Survey } from './survey.ts';

/** Filters that take out what this caller could never have been served by, whatever the length. */
const BESIDE_LENGTH: ReadonlySet<HardFilter> = new Set(['H4', 'H7'] as const);

/** Tells whether the prompt is too long for everything that could serve it otherwise: shorter, it would be served. */
export function isTooLong({ rejections }: Pick<Survey, 'rejections'>, { contextTokensMax }: Pick<Demand, 'contextTokensMax'>): boolean {
  const others = rejections.filter(({ filter }) => !BESIDE_LENGTH.has(filter));
  return others.length > 0 && others.every(({ filter, offer }) => filter === 'H5' && contextTokensMax >= longestOf(offer));
}

function longestOf({ context, capacity }: Offer): number {
  return Math.min(context, capacity?.poolTokens ?? Infinity);
}
