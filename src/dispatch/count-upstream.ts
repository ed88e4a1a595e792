/** Asks an endpoint how many tokens a prompt is, before anything is generated. */
import type { Offer } from '#schema/catalog';
import { speak, type ChatAsk } from './ask.ts';
import { readCapped } from './read-capped.ts';
import { targetOf, type KeySources } from './target.ts';

/** Whoever counts is waiting to send; our own estimate is better than a late count. */
const COUNT_TIMEOUT_MS = 3000;
const COUNT_BYTES_MAX = 64 * 1024;

export interface CountPorts extends KeySources {
  fetch: typeof fetch;
}

/**
 * Asks the endpoint's own counter; null when it has none for this client's API, or gives no count in time.
 * It generates nothing and costs nothing, so it is no attempt: it leaves no receipt, and health learns nothing from it.
 */
export async function countUpstream(ask: ChatAsk, offer: Offer, clientSignal: AbortSignal, ports: CountPorts): Promise<number | null> {
  const target = targetOf(offer, ports, false);
  if (target === null) return null;
  const spoken = speak(ask, offer, target);
  const counter = spoken.dialect.countTokens;
  if (counter === undefined || spoken.target.native === undefined) return null;
  try {
    const { url, headers, body } = counter.encodeRequest(ask.request, spoken.target);
    const signal = AbortSignal.any([clientSignal, AbortSignal.timeout(COUNT_TIMEOUT_MS)]);
    const response = await ports.fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    const answer = await readCapped(response, COUNT_BYTES_MAX);
    return response.ok && answer.kind === 'text' ? counter.decodeReply(JSON.parse(answer.text)) : null;
  } catch {
    return null;
  }
}
