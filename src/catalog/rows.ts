/** Rows of the catalogue as D1 holds them, before they become a snapshot. */
import type { ExpectedService, NodeCapacity } from '#schema/node-service';
import type { ProbeReport } from '#schema/probe';
import type { RegistrationState } from '#schema/registration';
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
  /** Of the registered endpoints that are in traffic; no other registered endpoint is in a snapshot. */
  registrations: readonly RegistrationRow[];
  /** When the next known price begins to hold; null when none is known. */
  nextPriceAtMs: number | null;
}

/** Where a registered endpoint stands, and what probes have seen of it. */
export interface RegistrationRow {
  endpointId: string;
  state: RegistrationState;
  /** Share of the traffic that its operator is given, in [0, 1]; 1 for endpoints that are past their probation. */
  trafficShare: number;
  seen: ProbeReport['seen'] | null;
  expected: ExpectedService | null;
  capacity: NodeCapacity | null;
}

export type EndpointRow = typeof endpoints.$inferSelect;
export type OfferRow = typeof offers.$inferSelect;
export type ClaimRow = typeof claims.$inferSelect;
