/** What is asked of upstreams: words for a conversation, or one unit operation. */
import type { DialectTarget } from '#providers/provider';
import { dialectOf } from '#providers/registry';
import type { Offer } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { ClientChat, UnitOperation } from '#schema/skin';
import type { UnitBody } from '#schema/unit';
import type { Spoken } from './read-answer.ts';

export interface ChatAsk {
  kind: 'chat';
  request: ChatRequest;
  /** The client's own body, for endpoints that speak its API. */
  native: ClientChat['native'];
}

export interface UnitAsk {
  kind: 'unit';
  operation: UnitOperation;
  body: UnitBody;
}

export type Ask = ChatAsk | UnitAsk;

/** Chooses the wire format for one endpoint, and whether the client's own words can go to it as they are. */
export function speak({ request, native }: ChatAsk, offer: Offer, target: DialectTarget): Spoken {
  const isRaw = native?.dialect === 'openai-completions' && offer.operations.has('completion');
  const dialect = dialectOf(isRaw ? native.dialect : offer.dialect);
  const own = native?.dialect === dialect.id ? { native: native.body, ...(native.headers && { nativeHeaders: native.headers }) } : {};
  return { dialect, target: { ...target, request, ...own } };
}
