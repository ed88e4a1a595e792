/** What a manifest is checked against. */
import type { SupplyKind } from '#schema/catalog';

/** What the deployment knows beside its manifest. */
export interface ManifestSurroundings {
  /** Provider ids with their supply kind and whether they bring a base URL; its origin, and the secret that is called their key unless the manifest names another. */
  providers: ReadonlyMap<string, { supply: SupplyKind; hasBaseUrl: boolean; origin?: string; keyName?: string }>;
  /** Model ids of the catalogue. */
  models: ReadonlySet<string>;
  /** Private hosts that this deployment names; endpoints elsewhere must be public https. */
  allowedHosts: readonly string[];
  /** Whether keys may stand in the file. True under `npm start` only. */
  allowValues: boolean;
}
