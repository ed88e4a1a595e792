/** The office: everything about a deployment that is read and managed and is no inference request. The hall's other half. */
import type { Gate } from '#src/admission/admission';
import type { EndpointKeys } from '#src/byok/endpoint-keys';
import { createSafe, type Safe } from '#src/byok/safe';
import type { Sealer } from '#src/byok/seal';
import type { Catalog } from '#src/catalog/catalog';
import { createStatsReader, type ReadEndpointStats } from '#src/catalog/stats-reader';
import type { Context } from '#src/context';
import { providerOrigins } from '#src/dispatch/provider-origins';
import { createKeyring, type Keyring } from '#src/keys/keyring';
import { createReceiptFeed, type ReceiptFeed } from '#src/ledger/feed';
import { createDeployment, type Deployment } from '#src/manage';
import { createPriceDesk, type PriceDesk } from '#src/price-desk';
import { createRegister, type Register } from '#src/register';
import { accountsOf } from '#src/usage/accounts';
import { createBooks, type Books } from '#src/usage/books';
import { createTeams, type Teams } from '#src/usage/teams';

export interface Office {
  /** Receipts in D1, page by page. */
  receiptFeed: ReceiptFeed;
  /** Reads how endpoints have done lately, by endpoint id. */
  endpointStats: ReadEndpointStats;
  /** Sums over what was served and charged. */
  books: Books;
  /** Management of inference keys. */
  keys: Keyring;
  /** The deployment as code. */
  deployment: Deployment;
  /** Where prices come from, and which of them wait for a person. */
  prices: PriceDesk;
  /** What teams may spend, have spent and hold. */
  teams: Teams;
  /** Management of the keys that teams bring for providers. */
  safe: Safe;
  /** Operators, their endpoints and nodes. */
  register: Register;
  /** The link of a node, which the node itself dials. */
  node: Context['node'];
}

/** What the office shares with the hall. */
export interface OfficePorts {
  sealer: Sealer;
  endpointKeys: EndpointKeys;
  catalog: Pick<Catalog, 'renew'>;
  gate: Pick<Gate, 'forget' | 'forgetAll' | 'forgetTeam'>;
}

/** Opens the office of one isolate. */
export function createOffice(context: Context, { sealer, endpointKeys, catalog, gate }: OfficePorts): Office {
  const forget = (): Promise<void> => {
    gate.forgetAll();
    return catalog.renew();
  };
  return {
    receiptFeed: createReceiptFeed(context),
    endpointStats: createStatsReader(context),
    books: createBooks(context),
    keys: createKeyring({ ...context, forget: gate.forget }),
    deployment: createDeployment({ ...context, forget }),
    prices: createPriceDesk({ ...context, renew: catalog.renew }),
    teams: createTeams({ ...context, accounts: accountsOf(context.account) }),
    safe: createSafe({ ...context, sealer, origins: providerOrigins(context.allowedHosts), forgetTeam: gate.forgetTeam }),
    register: createRegister(context, { sealer, endpointKeys, forgetKey: gate.forget, renewCatalogue: catalog.renew }),
    node: context.node,
  };
}
