/** A chat request in the very words in which a client's goes out: whoever asks an endpoint behind the clients' backs is not told apart by them (R8). */
import { dialectOf } from '#providers/registry';
import type { DialectId } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { SaidChat } from '#schema/said-chat';
import { targetOf } from './target.ts';

/** An endpoint at an address of its own, as far as words go; `key` is null where it asks for none. */
export interface SpokenTo {
  url: string;
  dialect: DialectId;
  upstreamModel: string;
  engine: string | null;
  key: string | null;
}

/** Provider of every endpoint that is described by its engine alone. */
const CUSTOM_PROVIDER = 'selfhosted';

/** Encodes a request for a custom endpoint. `continues`: the beginning of the answer, where only the rest is asked for. */
export function sayChat(request: ChatRequest, { key, ...endpoint }: SpokenTo, continues?: string): SaidChat {
  const spoken = {
    ...endpoint,
    providerId: CUSTOM_PROVIDER,
    operatorId: CUSTOM_PROVIDER,
    maxOutput: null,
    keySecret: key === null ? null : 'key',
  };
  const target = targetOf(spoken, { secret: () => key ?? undefined }, false);
  if (target === null) throw new Error('a key that is there opens');
  const { url, headers, body } = dialectOf(endpoint.dialect).encodeRequest(request, {
    ...target,
    request,
    ...(continues !== undefined && { continues }),
  });
  return { url, headers, body };
}
