/** Relays scripted batches of events and reads what a client would. */
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import { GatewayError } from '#schema/error';
import type { Usage } from '#schema/receipt';
import type { ReplyChunk, StreamEvent } from '#schema/reply';
import type { Settlement } from '#schema/skin';
import { relayStream } from '#src/metering/relay';
import type { StreamEnd, StreamSource } from '#src/metering/transcript';
import { NO_LINE, type StopLine } from '#src/metering/stop-line';
import { createTally } from '#src/metering/tally';
import { createChatScribe } from '#src/skins/chat/chat-scribe';

export const USAGE: Usage = {
  source: 'reported',
  promptTokens: 1,
  completionTokens: 1,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};
export const SETTLEMENT: Settlement = { usage: USAGE, chargedNanoUsd: 0, promptNanoUsd: 0, endedAtS: 2, routerMetadata: null };
export const HEAD = '{"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m/x","provider":"P",';
export const BROKE: AttemptFailure = { kind: 'connect', origin: 'local', detail: 'reset' };
export const DONE: StreamEvent = { kind: 'done' };
export const COMMENT = ': HEADRACE PROCESSING\n\n';

/** Makes an event of these choices. */
export function chunkOf(choices: ChatChoice[], over: Partial<ReplyChunk> = {}): ReplyChunk {
  return { kind: 'chunk', upstreamId: 'up-1', choices, usage: null, extra: null, ...over };
}
/** Makes an event in which a choice says something. */
export const says = (content: string, index = 0) => chunkOf([{ index, delta: { content }, finish_reason: null }]);
/** Makes an event in which a choice ends. */
export const finishes = (finish_reason = 'stop', index = 0) => chunkOf([{ index, delta: {}, finish_reason }]);

interface Setup {
  opening?: Promise<StreamSource | { error: GatewayError }>;
  settlement?: Settlement | null;
  hidesReasoning?: boolean;
  /** Where each upstream must stop, in the order in which they answer; none by default. */
  lines?: readonly StopLine[];
}

/** Relays batches of events; each batch is one read of the upstream. `hang` leaves the last read open. */
export function start(
  batches: (readonly StreamEvent[] | 'hang')[],
  { opening, settlement = SETTLEMENT, hidesReasoning = false, lines = [] }: Setup = {},
) {
  const ends: StreamEnd[] = [];
  const tally = createTally();
  const state = { cancels: 0, reads: 0 };
  const source: StreamSource = {
    model: 'm/x',
    provider: 'P',
    stream: {
      next() {
        const batch = batches[state.reads++] ?? null;
        return batch === 'hang' ? new Promise(() => undefined) : Promise.resolve(batch);
      },
      cancel() {
        state.cancels++;
      },
    },
  };
  const body = relayStream({
    scribe: createChatScribe({ id: 'gen-1', createdAtS: 1 }),
    tally,
    hidesReasoning,
    now: Date.now,
    opening: opening ?? Promise.resolve(source),
    stopLine: () => lines[tally.broken.length] ?? NO_LINE,
    onEnd(end) {
      ends.push(end);
      return end.state === 'completed' ? settlement : null;
    },
    toError: (failure) => new GatewayError('upstream_failed', `broke: ${failure.detail}`),
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const read = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : decoder.decode(value);
  };
  const readAll = async (): Promise<string[]> => {
    const writes: string[] = [];
    for (let write = await read(); write !== null; write = await read()) writes.push(write);
    return writes;
  };
  return { read, readAll, reader, ends, tally, state, source };
}

/** Splits what a client read into payloads of `data:` events. */
export function payloads(writes: readonly string[]): string[] {
  return writes
    .join('')
    .split('\n\n')
    .filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => event.replace(/^data: /, ''));
}
/** Parses the payloads of a stream, without its `[DONE]`. */
export const parsed = (writes: readonly string[]) =>
  payloads(writes)
    .filter((payload) => payload !== '[DONE]')
    .map((payload) => JSON.parse(payload));
