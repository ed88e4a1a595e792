/** The answer that an endpoint would have given had nothing broken: the fleet is deterministic, so it can be asked without a network. */
import { composeAnswer } from '#devnet/answer';
import { isRefusal } from '#devnet/body';
import { FLEET } from '#devnet/fleet';
import { parseOpenaiRequest } from '#devnet/openai-request';
import type { ChaosRequest } from './requests.ts';
import { jsonList } from './wire.ts';

const LABEL = /^\[simulated by ([\w-]+)\]/;

/** How a text compares with the unbroken answer: `exact`; `other_end`: the same words, ended elsewhere; `garbled`: other words. */
export type Likeness = 'exact' | 'other_end' | 'garbled';

const LABEL_BEGUN = '[simulated by ';

/** Compares what a client received. A `partial` text is exact when the unbroken answer begins with it. */
export function compareWithUnbroken(request: ChaosRequest, text: string, partial: boolean): Likeness {
  const author = authorOf(request, text);
  // The label itself may have been cut off.
  if (author === null) return partial && LABEL_BEGUN.startsWith(text.slice(0, LABEL_BEGUN.length)) ? 'exact' : 'garbled';
  const unbroken = composeUnbroken(request, author);
  if (unbroken === null) return 'garbled';
  if (partial ? unbroken.startsWith(text) : unbroken === text) return 'exact';
  const endless = composeUnbroken({ ...request, maxTokens: null, stop: null }, author);
  return endless?.startsWith(text) === true ? 'other_end' : 'garbled';
}

/** Counts the characters of the unbroken answer of whoever began `text`; null where nobody did. */
export function unbrokenLength(request: ChaosRequest, text: string): number | null {
  const author = authorOf(request, text);
  return author === null ? null : (composeUnbroken(request, author)?.length ?? null);
}

/** Finds who began a text by its label; JSON has none, and is the same from everybody. */
function authorOf({ jsonItems, model }: ChaosRequest, text: string): string | null {
  if (jsonItems === null) return LABEL.exec(text)?.[1] ?? null;
  return (
    FLEET.find(({ models, capabilities }) => capabilities.includes('json_schema') && models.some(({ id }) => id === model))?.id ?? null
  );
}

/** Composes the whole answer of an endpoint; null where it cannot give one. */
export function composeUnbroken({ model, prompt, maxTokens, stop, jsonItems }: ChaosRequest, endpointId: string): string | null {
  const card = FLEET.find(({ id }) => id === endpointId);
  const upstreamModel = card?.models.find(({ id }) => id === model)?.upstreamModel;
  if (card === undefined || upstreamModel === undefined) return null;
  const format = jsonItems === null ? {} : { response_format: jsonList(jsonItems) };
  const body = { model: upstreamModel, messages: [{ role: 'user', content: prompt }], max_tokens: maxTokens, stop, ...format };
  const job = parseOpenaiRequest(body, card);
  return isRefusal(job) ? null : composeAnswer(job, endpointId, 0).content.join('');
}
