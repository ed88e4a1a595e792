/** What every test of the Messages skin needs: a body, labels, a settlement, and the official client reading our stream. */
import Anthropic from '@anthropic-ai/sdk';
import type { ChatChoice } from '#schema/chat';
import type { ReplyChunk } from '#schema/reply';
import type { AnswerLabels, ClientChat, Settlement } from '#schema/skin';
import { messages } from '#src/skins/messages/messages';
import { randomChunks } from '#test/support/random-chunks';

export const LABELS: AnswerLabels = { id: 'gen-1', createdAtS: 1, model: 'm/x', provider: 'P' };
export const SETTLEMENT: Settlement = {
  usage: { source: 'reported', promptTokens: 30, completionTokens: 9, reasoningTokens: 4, cacheReadTokens: 8, cacheWriteTokens: 2 },
  chargedNanoUsd: 3_000_000,
  promptNanoUsd: 1_000_000,
  endedAtS: 2,
  routerMetadata: null,
};

/** Makes a body; `over` says what the test is about. */
export function bodyWith(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: 'm/x', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }], ...over };
}

/** Reads a body as it would come. */
export function read(over: Record<string, unknown> = {}, headers: Record<string, string> = {}): ClientChat {
  return messages.read(bodyWith(over), new Headers(headers));
}

/** Makes an event of the first choice. */
export function chunkOf(delta: ChatChoice['delta'], over: Partial<ChatChoice> = {}): ReplyChunk {
  return {
    kind: 'chunk',
    upstreamId: 'up',
    choices: [{ index: 0, delta: delta ?? {}, finish_reason: null, ...over }],
    usage: null,
    extra: null,
  };
}

/** Writes a whole stream. */
export function writeStream(client: ClientChat, chunks: readonly ReplyChunk[], settlement = SETTLEMENT): string {
  const scribe = client.createScribe(LABELS);
  return scribe.open(LABELS) + chunks.map((chunk) => scribe.write(chunk)).join('') + scribe.finish(settlement, []);
}

/** Splits a stream into its events, each of which must be framed as this API frames them. */
export function eventsOf(stream: string): { type: string; [field: string]: unknown }[] {
  return stream
    .split('\n\n')
    .slice(0, -1)
    .map((text) => {
      const [, name, json] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
      const event = JSON.parse(json ?? 'null');
      if (event?.type !== name) throw new Error(`not an event: ${text}`);
      return event;
    });
}

/** Has the official client put a stream together, its bytes cut at random places. */
export async function accumulate(stream: string, seed: number): Promise<Record<string, unknown>> {
  const answer = (): Response => {
    const chunks = randomChunks(stream, seed, 40);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  const client = new Anthropic({ apiKey: 'test', maxRetries: 0, fetch: () => Promise.resolve(answer()) });
  const final = await client.messages.stream({ model: 'm/x', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }).finalMessage();
  const { parsed_output: _parsed, ...message } = JSON.parse(JSON.stringify(final));
  return message;
}

/** Takes off the money, which the official client does not read from streams. */
export function withoutCost(message: object): object {
  const { usage, ...rest } = JSON.parse(JSON.stringify(message));
  const { cost: _cost, cost_details: _details, is_byok: _byok, ...counts } = usage;
  return { ...rest, usage: counts };
}
