/**
 * Lets an engine do once what it does at its first use, before it is measured and before a router asks: engines compile samplers and grammars
 * when they are first needed. vLLM 0.32 answers nobody for as long as that takes, seconds for the first log probabilities.
 */
import type { ChatOptions } from './timed-chat.ts';

/** Whoever takes longer is measured as it is. */
const PATIENCE_MS = 30_000;

const schema = { type: 'object', properties: { word: { type: 'string', maxLength: 4 } }, required: ['word'], additionalProperties: false };

/** What probes ask for, and most callers do not. An engine that refuses one has nothing to warm there. */
const FIRSTS: readonly object[] = [
  { logprobs: true, top_logprobs: 1 },
  { response_format: { type: 'json_schema', json_schema: { name: 'warm_up', strict: true, schema } } },
];

/** Asks for a few tokens of each kind, all at once. Ends in time, and never rejects. */
export async function warmUp({ url, key, fetch: call, model }: Omit<ChatOptions, 'signal' | 'maxTokens' | 'now'>): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const headers = { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) };
  await Promise.allSettled(
    FIRSTS.map(async (first) => {
      const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello.' }], max_tokens: 2, ...first });
      const answer = await call(`${url}/v1/chat/completions`, { method: 'POST', redirect: 'manual', signal, headers, body });
      for await (const bytes of answer.body ?? []) void bytes;
    }),
  );
}
