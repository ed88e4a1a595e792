/** A model that says the same to the same prompt at every endpoint, and dies in the middle where a test says so. */
import type { ServerResponse } from 'node:http';
import { event, openStream } from './openai-scripts.ts';
import { reset, turn } from './faults.ts';
import type { Script, UpstreamCall } from './scripted-upstream.ts';

export interface EngineManners {
  /** The words after which it dies; it lives when absent. */
  diesAfter?: number;
  /** Dies by an error event, or by falling silent for good; by a reset when absent. */
  dyingBy?: 'error' | 'silence';
  promptTokens?: number;
  /** Sent before the word of that number. */
  says?: { before: number; delta: object; more?: object };
}

/** Streams a text word by word, each with the usage so far; goes on where it is told to go on, as a raw prompt or as a message. */
export function engine(text: string, manners: EngineManners = {}): Script {
  const { diesAfter = Infinity, dyingBy, promptTokens = 12, says } = manners;
  return async (call, response) => {
    const begun = beginningOf(call);
    const words = text.slice(begun.length).match(/\s*\S+/g) ?? [];
    const write = (choices: object[], completionTokens: number) =>
      response.write(event({ id: 'up', choices, usage: usageOf(promptTokens, completionTokens) }));
    openStream(response);
    if (!text.startsWith(begun)) return void response.end(event({ error: { message: 'asked to go on from what was never said' } }));
    for (const [place, word] of words.entries()) {
      if (says?.before === place) write([{ index: 0, delta: says.delta, finish_reason: null, ...says.more }], place);
      if (place === diesAfter) return die(response, dyingBy);
      const choice = isRaw(call) ? { text: word } : { delta: { ...(place === 0 && { role: 'assistant' }), content: word } };
      write([{ index: 0, finish_reason: null, ...choice }], place + 1);
    }
    write([{ index: 0, ...(isRaw(call) ? { text: '' } : { delta: {} }), finish_reason: 'stop' }], words.length);
    response.end(event('[DONE]'));
  };
}

/** What the router asks an engine to go on from; empty where it asks for the whole answer. */
export function beginningOf({ path, body }: Pick<UpstreamCall, 'path' | 'body'>): string {
  if (isRaw({ path })) return String(body['prompt']).replace(/^.*?(?=::)::/s, '');
  const messages = body['messages'] as { role: string; content: string }[];
  const last = messages.at(-1);
  return body['continue_final_message'] === true && last?.role === 'assistant' ? last.content : '';
}

const isRaw = ({ path }: Pick<UpstreamCall, 'path'>) => path.endsWith('/completions') && !path.endsWith('/chat/completions');

function usageOf(promptTokens: number, completionTokens: number): object {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens };
}

async function die(response: ServerResponse, dyingBy: EngineManners['dyingBy']): Promise<void> {
  await turn();
  if (dyingBy === 'error') response.end(event({ error: { message: 'the worker died', code: 500 } }));
  else if (dyingBy === undefined) reset(response);
}
