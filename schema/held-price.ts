/** Prices that are not charged before a person has looked: what an operator asks, what is said of it, and what a manager decides. */
import { z } from 'zod';
import type { PricedUnit } from './manifest.ts';
import type { Price } from './money.ts';

/** A price that an operator asks for one of its endpoints. */
export interface AskedPrice {
  endpointId: string;
  modelId: string;
  price: Price;
  /** What it bills besides tokens; null where nothing. */
  unit: PricedUnit | null;
}

/** What is said of a price that an operator asks. */
export type PriceVerdict =
  /** It holds from now on. */
  | { kind: 'charged' }
  /** A manager decides, and `charged` holds meanwhile. The question opens at `seenAtMs`; null: it is open, or answered with no, already. */
  | { kind: 'held'; charged: Price; reason: string; seenAtMs: number | null }
  /** There is no good price to go on with; `field` is the manifest's word for what is wrong. */
  | { kind: 'refused'; field: string; sentence: string }
  /** The endpoint has had as many prices as it may have in a day. */
  | { kind: 'spent'; perDay: number }
  /** A manager has just rejected one; nothing further is asked about the model before `untilMs`. */
  | { kind: 'rejected'; untilMs: number };

/** Names, where feeds have their ids, an operator whose price is held. */
export function operatorAsking(operatorId: string): string {
  return `${OPERATOR_ASKING}${operatorId}`;
}

/** Reads the operator out of such a name; null where it is a feed's. */
export function operatorOf(statedBy: string): string | null {
  return statedBy.startsWith(OPERATOR_ASKING) ? statedBy.slice(OPERATOR_ASKING.length) : null;
}

/** What such names begin with; no feed can be called so. */
export const OPERATOR_ASKING = 'operator:';

/** The body of `POST /prices/held/{endpoint}`. */
export const decidePrice = z
  .strictObject({
    decision: z.enum(['accept', 'reject']).describe('`accept`: it is charged from now on. `reject`: what was charged before stays.'),
    seen_at: z.iso.datetime().describe('The `seen_at` of the price that is meant: another one that came meanwhile is not decided about.'),
  })
  .meta({ id: 'DecidePrice' });
export type DecidePrice = z.infer<typeof decidePrice>;
