/** What managing supply that registers itself uses of the house. */
import type { Seal } from '#schema/byok';
import type { AskedPrice, PriceVerdict } from '#schema/held-price';
import type { ManifestEndpoint } from '#schema/manifest';
import type { Price } from '#schema/money';
import type { NodeDescription } from '#schema/node';
import type { NodeLoad } from '#schema/node-service';

/** A key in the three forms that it has: itself, shown once; SHA-256 in hex; what people see. */
export interface MintedKey {
  token: string;
  hash: string;
  label: string;
}

/** How a node's link stands, as its NodeLink answers. */
export interface LinkStanding {
  linked: boolean;
  linkedAtMs: number | null;
  draining: boolean;
  /** Why the node can serve nothing now; null where it can. */
  trouble: string | null;
  /** Requests under way. */
  streams: number;
  load: NodeLoad | null;
}

/** The link of a node, whether it is connected or not. */
export interface LinkPort {
  status(): Promise<LinkStanding>;
  drain(on: boolean): Promise<unknown>;
  leave(reason: string): Promise<unknown>;
  forgetKey(): Promise<unknown>;
  /** Tells a link what its node has just told the register. */
  renew(description: NodeDescription): Promise<unknown>;
  /** Tells a node how one of its endpoints stands. */
  tell(told: { endpoint: string; state: string; reason: string | null }): Promise<unknown>;
}

export interface SupplyPorts {
  db: D1Database;
  now(): number;
  newId(): string;
  log(event: Record<string, unknown>): void;
  fetch: typeof fetch;
  /** Reads a Worker secret or variable. */
  secret(name: string): string | undefined;
  allowedHosts: readonly string[];
  /** The link of a node. */
  node(nodeId: string): LinkPort;
  /** Makes a key with the prefix that tells its kind. */
  mintKey(prefix: string): MintedKey;
  /** Makes this isolate look a key up again, by its SHA-256 (hex); others do so within 60 s. */
  forgetKey(hash: string): void;
  /** Seals an endpoint's key to the endpoint and its origin. Throws GatewayError `permission_denied` where the deployment cannot. */
  sealKey(scope: { endpointId: string; origin: string }, key: string): Promise<Seal>;
  /** Compiles a price as people write it. Throws GatewayError `invalid_request` for one that leaves something without a price. */
  priceOf(endpoint: Pick<ManifestEndpoint, 'price' | 'capabilities'>): Price | null;
  /** Judges prices that an operator asks, in their order. Rejects where D1 does. */
  judgePrices(operatorId: string, asked: readonly AskedPrice[]): Promise<PriceVerdict[]>;
  /** Makes this isolate read the catalogue again; others notice within seconds. */
  renewCatalogue(): Promise<void>;
}
