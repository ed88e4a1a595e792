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
  /** The beginning of the answer, where the client has it already and only the rest is asked for. */
  continues?: string;
}

export interface UnitAsk {
  kind: 'unit';
  operation: UnitOperation;
  body: UnitBody;
}

export type Ask = ChatAsk | UnitAsk;

/** Chooses the wire format for one endpoint, and whether the client's own words can go to it as they are. */
export function speak(ask: ChatAsk, offer: Offer, target: DialectTarget): Spoken {
  const { request, native, continues } = ask;
  const dialect = dialectOf(speaksRaw(ask, offer) ? 'openai-completions' : offer.dialect);
  const own = native?.dialect === dialect.id ? { native: native.body, ...(native.headers && { nativeHeaders: native.headers }) } : {};
  return { dialect, target: { ...target, request, ...own, ...(continues !== undefined && { continues }) } };
}

/** Tells whether a raw prompt goes to an endpoint as it is, and not as a message. */
export function speaksRaw({ native }: ChatAsk, { operations }: Offer): boolean {
  return native?.dialect === 'openai-completions' && operations.has('completion');
}
