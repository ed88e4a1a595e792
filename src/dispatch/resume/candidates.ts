/** Who may go on with an answer that broke. */
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import { speaksRaw, type ChatAsk } from '../ask.ts';
import type { DispatchCandidate, DispatchOrder } from '../order.ts';

/** Estimates of prompt tokens run short by up to 5 %. */
const PROMPT_MARGIN = 1.05;

/** An answer that broke. */
export interface Break {
  /** Whose it was, the one that broke last at the end. */
  offers: readonly Offer[];
  /** Tokens that the client has got of it. */
  tokens: number;
  /** There is something to go on from; else the answer can be made from its beginning, by anybody. */
  hasBegun: boolean;
}

/**
 * Lists the candidates of the same model that have not failed this request, can go on in the way in which the answer was begun, and have
 * room for it; other operators' first, unless the caller has ordered them. All of them have passed the hard filters (R1).
 */
export function successors(order: DispatchOrder & { ask: ChatAsk }, broken: Break): DispatchCandidate[] {
  const { candidates, ask, facts, trail, fixedOrder } = order;
  const last = broken.offers.at(-1);
  if (last === undefined) return [];
  const isRaw = speaksRaw(ask, last);
  const failed = new Set(broken.offers.map(({ endpointId }) => endpointId));
  for (const { endpointId, outcome } of trail) if (outcome !== 'cancelled') failed.add(endpointId);
  const operators = new Set(broken.offers.map(({ operatorId }) => operatorId));

  const goesOn = (offer: Offer) => !broken.hasBegun || (isRaw ? speaksRaw(ask, offer) : offer.capabilities.has('continuation'));
  const able = candidates.filter(
    ({ offer }) => offer.modelId === last.modelId && !failed.has(offer.endpointId) && goesOn(offer) && hasRoom(offer, facts, broken.tokens),
  );
  if (fixedOrder) return able;
  const isSibling = ({ offer }: DispatchCandidate) => operators.has(offer.operatorId);
  return [...able.filter((candidate) => !isSibling(candidate)), ...able.filter(isSibling)];
}

function hasRoom({ context }: Offer, { promptTokens, contextTokens = promptTokens, maxTokens }: RequestFacts, tokens: number): boolean {
  const output = maxTokens === null ? tokens + 1 : Math.max(maxTokens, tokens);
  return contextTokens * PROMPT_MARGIN + output <= context;
}
