/** Bytes of an upstream to events of the common shape: UTF-8, server-sent events (WHATWG), dialect. */
import { createParser } from 'eventsource-parser';
import type { StreamDecoder } from '#providers/provider';
import type { AttemptFailure } from '#schema/attempt';
import type { ReplyStream, StreamEvent } from '#schema/reply';
import { openByteReader, type ByteReader } from './byte-reader.ts';
import type { Watchdog } from './watchdog.ts';

/** Largest single event, in characters; a longer one is hostile (I6). */
const EVENT_CHARS_MAX = 8 * 1024 * 1024;

/** After `[DONE]` only the end of the bytes should follow; reading it lets the connection be used again. */
const DRAIN_READS_MAX = 4;

/** Reads `body` as one answer. Malformed framing, broken connections and time-outs come as one last `failure` event. */
export function openEventStream(body: ReadableStream<Uint8Array>, decoder: StreamDecoder, watchdog: Watchdog): ReplyStream {
  const reader = openByteReader(body);
  const text = new TextDecoder();
  let batch: StreamEvent[] = [];
  let ended = false;

  const end = (event?: StreamEvent) => {
    if (ended) return;
    ended = true;
    if (event !== undefined) batch.push(event);
    if (event?.kind === 'done') drain(reader).catch(() => undefined);
    else reader.cancel().catch(() => undefined);
  };
  const fail = (failure: AttemptFailure) => end({ kind: 'failure', failure });

  const parser = createParser({
    maxBufferSize: EVENT_CHARS_MAX,
    onEvent(message) {
      // Whatever follows the end or an error is not part of the answer (T3).
      if (ended) return;
      const event = decoder.decode(message.data, message.event);
      if (event.kind === 'chunk') batch.push(event);
      else if (event.kind !== 'ignore') end(event);
    },
    onComment: () => watchdog.comment(),
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded')
        fail({ kind: 'protocol', origin: 'external', detail: 'an event larger than the limit' });
    },
  });

  return {
    async next() {
      watchdog.waiting();
      while (batch.length === 0 && !ended) {
        try {
          const bytes = await reader.read();
          // The last event may lack its blank line (T2).
          parser.feed(bytes === null ? `${text.decode()}\n\n` : text.decode(bytes, { stream: true }));
          if (bytes === null) end();
        } catch {
          fail(watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'the connection broke in the middle of the answer' });
        }
      }
      watchdog.arrived();
      if (batch.length === 0) return null;
      const events = batch;
      batch = [];
      return events;
    },
    cancel() {
      watchdog.abort('cancelled', 'nobody reads the stream any more');
      end();
    },
  };
}

async function drain(reader: ByteReader): Promise<void> {
  for (let reads = 0; reads < DRAIN_READS_MAX; reads++) if ((await reader.read()) === null) return;
  await reader.cancel();
}
