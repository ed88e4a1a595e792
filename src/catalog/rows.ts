/** Rows of the catalogue as D1 holds them, before they become a snapshot. */
import type { aliases, claims, endpoints, models, offers, providers } from '#schema/tables';

export interface CatalogRows {
  /** Value of `catalogue_version`, which every writer of the catalogue changes. */
  version: string;
  models: readonly (typeof models.$inferSelect)[];
  aliases: readonly (typeof aliases.$inferSelect)[];
  providers: readonly (typeof providers.$inferSelect)[];
  /** Enabled ones. */
  endpoints: readonly EndpointRow[];
  /** Prices that are valid now; later ones are announced by `nextPriceAtMs`. */
  offers: readonly OfferRow[];
  claims: readonly ClaimRow[];
  /** When the next known price begins to hold; null when none is known. */
  nextPriceAtMs: number | null;
}

export type EndpointRow = typeof endpoints.$inferSelect;
export type OfferRow = typeof offers.$inferSelect;
export type ClaimRow = typeof claims.$inferSelect;
