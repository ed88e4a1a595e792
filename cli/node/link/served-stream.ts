/** One request of the router on this node: asks the engine, relays the answer as fast as the router reads it. */
import { BINARY, CHUNK_BYTES_MAX, encodeBinary, encodeCredit, WINDOW_BYTES, type AnswerHead, type LinkToNode } from '#schema/node-link';
import type { AskEngine } from './engine-port.ts';
import { toEngineHeaders, toRouterHeaders } from './headers.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createTokenCount } from './token-count.ts';
import { createWindow } from './window.ts';

const BROKEN_OFF = new TextEncoder().encode('the engine broke off');

export type RequestFrame = Extract<LinkToNode, { type: 'request' }>;

/** Where a stream writes. */
export interface StreamWriter {
  head(stream: number, head: AnswerHead): void;
  binary(message: Uint8Array<ArrayBuffer>): void;
  /** Resolves once the connection takes more. */
  room(): Promise<void>;
}

/** How a stream ended: with the engine's status, or null where it broke; and the tokens that the engine says it has written. */
export interface StreamEnd {
  status: number | null;
  completionTokens: number;
}

export interface ServedStream {
  /** Bytes of the request body. False: the router has broken its own rules. */
  data(bytes: Uint8Array): boolean;
  /** The request body is whole. False: it is not. */
  end(): boolean;
  /** The router has read so many bytes. False: more than there were. */
  credit(bytes: number): boolean;
  /** The router wants no more. Says nothing back. */
  abort(): void;
  /** Bytes of the request body that are kept for the engine. */
  readonly unreadBytes: number;
  /** Resolves when it is over, however. */
  over: Promise<StreamEnd>;
}

/** Serves one request. `path` and method have been checked. */
export function serveStream(frame: RequestFrame, askEngine: AskEngine, write: StreamWriter): ServedStream {
  const { stream } = frame;
  const left = new AbortController();
  const window = createWindow(WINDOW_BYTES);
  const sizeBytes = frame.body === undefined ? (frame.bodyBytes ?? 0) : 0;
  const inbox: Inbox | null = sizeBytes === 0 ? null : createInbox(sizeBytes, (bytes) => write.binary(encodeCredit(stream, bytes)));
  const tokens = createTokenCount();

  async function relay(): Promise<StreamEnd> {
    let status: number | null = null;
    let isWhole = false;
    try {
      const body = frame.body ?? inbox?.body ?? null;
      const headers = toEngineHeaders(frame.headers);
      const request = { method: frame.method, path: frame.path, headers, body, ...(inbox !== null && { bodyBytes: sizeBytes }) };
      const answer = await askEngine(request, left.signal);
      left.signal.throwIfAborted();
      // Answers without a body would not wait for a router that reads none of them.
      await write.room();
      left.signal.throwIfAborted();
      ({ status } = answer);
      write.head(stream, { status, headers: toRouterHeaders(answer.headers) });
      if (answer.body !== null) await relayBody(answer.body);
      isWhole = true;
      write.binary(encodeBinary(BINARY.end, stream));
      return { status, completionTokens: tokens.read() };
    } catch {
      if (!left.signal.aborted) write.binary(encodeBinary(BINARY.reset, stream, BROKEN_OFF));
      return { status: null, completionTokens: tokens.read() };
    } finally {
      // Ends the engine's work where the answer was not read to its end; the connection of one that was is kept.
      if (!isWhole) left.abort();
      window.close();
      inbox?.fail('the stream is over');
    }
  }

  async function relayBody(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of body) {
      tokens.add(bytes);
      for (let offset = 0; offset < bytes.length;) {
        await write.room();
        const taken = await window.take(Math.min(bytes.length - offset, CHUNK_BYTES_MAX));
        write.binary(encodeBinary(BINARY.data, stream, bytes.subarray(offset, offset + taken)));
        offset += taken;
      }
      left.signal.throwIfAborted();
    }
  }

  return {
    data: (bytes) => inbox?.push(bytes) ?? false,
    // A body that came with its request has no end of its own to wait for.
    end: () => inbox?.end() ?? frame.body === undefined,
    credit: (bytes) => window.give(bytes),
    abort() {
      left.abort();
      window.close();
      inbox?.fail('the router has let go');
    },
    get unreadBytes() {
      return inbox?.unreadBytes ?? 0;
    },
    over: relay(),
  };
}
