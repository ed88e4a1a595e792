/** What comes of the prices that endpoints are given: what is charged from now on, and what a manager is asked. */
import type { Capability } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import { operatorAsking, type PriceVerdict } from '#schema/held-price';
import { billedUnitOf } from '#schema/manifest';
import type { Price } from '#schema/money';
import { refuseField } from '../register/endpoint-wish.ts';
import type { StoredEndpoint, StoredOffer } from '../register/registrations-store.ts';
import type { SupplyPorts } from '../supply-ports.ts';
import type { StoredHeldPrice } from './held-price-store.ts';
import { toOfferRow } from './price-row.ts';

/** A price that is given to an endpoint. */
export interface GivenPrice {
  endpoint: StoredEndpoint;
  /** Null: what was charged is taken back. */
  price: Price | null;
  /** The newest row so far. */
  before: StoredOffer | null;
  /** Where it stands in what was sent: `price`, `models.0.price`. */
  path: string;
}

/** What is written of it. */
export interface TakenPrice {
  /** Null: what is charged stays. */
  offer: StoredOffer | null;
  /** The question that is open from now on; null: none is; undefined: what was asked before stays. */
  held: StoredHeldPrice | null | undefined;
}

/** Whose prices they are. */
export interface Giver {
  operatorId: string;
  /** A manager's word is not judged. */
  isManager: boolean;
  nowMs: number;
}

/**
 * Takes prices for endpoints of one operator, in their order. Throws what the judge throws, and GatewayError: `invalid_request` for a price beyond
 * every bound where there is no other to go on with, `limit_exceeded` for an endpoint that has had too many of them today, and where a manager has just rejected one.
 */
export async function takePrices(judge: SupplyPorts['judgePrices'], given: readonly GivenPrice[], giver: Giver): Promise<TakenPrice[]> {
  const asked = giver.isManager
    ? []
    : given.flatMap(({ endpoint: { id: endpointId, modelId, capabilities }, price }) => {
        if (price === null) return [];
        const unit = price.unitPicoUsd === undefined ? null : billedUnitOf(capabilities as Capability[]);
        return [{ endpointId, modelId, price, unit }];
      });
  const said = asked.length === 0 ? [] : await judge(giver.operatorId, asked);
  const verdicts = new Map(asked.map(({ endpointId }, place) => [endpointId, said[place]]));
  return given.map((one) => take(one, verdicts.get(one.endpoint.id) ?? { kind: 'charged' }, giver));
}

function take({ endpoint, price, before, path }: GivenPrice, verdict: PriceVerdict, { operatorId, isManager, nowMs }: Giver): TakenPrice {
  const statement = { before, nowMs, isManager };
  switch (verdict.kind) {
    case 'charged':
      return { offer: toOfferRow(endpoint, price, statement), held: null };
    case 'refused':
      throw refuseField(`${path}.${verdict.field}`, verdict.sentence);
    case 'spent':
      throw new GatewayError('limit_exceeded', `An endpoint may have ${verdict.perDay} prices in a day: the next one tomorrow.`, {
        param: path,
      });
    case 'rejected': {
      const until = new Date(verdict.untilMs).toISOString();
      throw new GatewayError(
        'limit_exceeded',
        `A manager has rejected what you asked for this model: the next price that needs one may be asked from ${until}. Lower ones hold at once.`,
        { param: path, metadata: { until } },
      );
    }
    case 'held': {
      const { charged, reason, seenAtMs } = verdict;
      const question = { endpointId: endpoint.id, feedId: operatorAsking(operatorId), terms: price, reason, ...UNDECIDED };
      return { offer: toOfferRow(endpoint, charged, statement), held: seenAtMs === null ? undefined : { ...question, seenAtMs } };
    }
  }
}

const UNDECIDED = { decision: null, decidedBy: null, decidedAtMs: null };
