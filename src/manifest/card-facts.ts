/** What compiling needs of a provider's card. Handed in, because this room may not enter the suppliers' wing. */
import type { Capability, ClaimSource, DialectId, SupplyKind } from '#schema/catalog';

export interface CardFacts {
  id: string;
  name: string;
  supply: SupplyKind;
  dialect: DialectId;
  /** Null where each deployment has its own address. */
  baseUrl: string | null;
  /** Environment variable or Worker secret that switches the provider on. */
  keyName: string;
  auth: 'bearer' | 'x-api-key' | 'none';
  dataPolicy: { trains: boolean | null; retentionDays: number | null; claimSource: ClaimSource; source: string; date: string };
  jurisdiction: { countries: string[] };
  capabilities: Capability[];
}
