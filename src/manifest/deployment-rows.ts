import type { priceFeeds } from '#schema/supply-tables';
import type { aliases, claims, endpoints, keys, meta, models, offers, policies, providers, teams } from '#schema/tables';

/** Every row that the manifest and the catalogue call for, by table. Instants that only the store knows are left out. */
export interface DeploymentRows {
  meta: (typeof meta.$inferInsert)[];
  teams: Omit<typeof teams.$inferInsert, 'createdAtMs'>[];
  keys: Omit<typeof keys.$inferInsert, 'createdAtMs' | 'updatedAtMs'>[];
  policies: Omit<typeof policies.$inferInsert, 'version' | 'updatedAtMs'>[];
  providers: (typeof providers.$inferInsert)[];
  models: (typeof models.$inferInsert)[];
  aliases: (typeof aliases.$inferInsert)[];
  endpoints: (typeof endpoints.$inferInsert)[];
  claims: (typeof claims.$inferInsert)[];
  price_feeds: (typeof priceFeeds.$inferInsert)[];
  /** Terms as they should stand now. A date in the past dates a catalogue price; null means from the moment of applying. */
  offers: (Omit<typeof offers.$inferInsert, 'validFromMs'> & { validFromMs: number | null })[];
}
