/** A LinkSession and a node over two queues, so that a test decides when which frame arrives. */
import { BINARY, CHUNK_BYTES_MAX, encodeBinary, encodeCredit, WINDOW_BYTES, type LinkToNode, type NodeToLink } from '#schema/node-link';
import { LinkSession, type OpenStream } from '#src/nodes/link/session';
import type { BreakReason } from '#src/nodes/link/stream';

type Sent = { kind: number; stream: number; payload: Uint8Array };

export interface Rig {
  session: LinkSession;
  /** Frames of the session that the node has not read yet, in order. */
  texts: LinkToNode[];
  binaries: Sent[];
  closed: { code: number; reason: string } | null;
  numbered: number[];
  said: NodeToLink[];
}

/** Opens a session whose frames are collected. */
export function openRig(streamsFrom = 1): Rig {
  const rig: Rig = { texts: [], binaries: [], closed: null, numbered: [], said: [] } as unknown as Rig;
  rig.session = new LinkSession(
    {
      text: (frame) => rig.texts.push(frame),
      binary: (message) =>
        rig.binaries.push({ kind: message[0] as number, stream: new DataView(message.buffer).getUint32(1), payload: message.subarray(5) }),
      close: (code, reason) => (rig.closed = { code, reason }),
    },
    { said: (frame) => rig.said.push(frame), numbered: (streamsFrom) => rig.numbered.push(streamsFrom) },
    streamsFrom,
  );
  return rig;
}

/** What came of one stream. */
export interface Heard {
  stream: OpenStream;
  number: number;
  status: number | null;
  pieces: Uint8Array[];
  unreadBytes: number;
  end: 'end' | BreakReason | null;
  /** Calls after the end; there must be none. */
  afterEnd: number;
}

/** Opens a stream that writes down what it hears. */
export function ask(rig: Rig, request: { body?: string; bodyBytes?: number } = {}): Heard {
  const heard = { number: 0, status: null, pieces: [], unreadBytes: 0, end: null, afterEnd: 0 } as unknown as Heard;
  const listen = () => {
    if (heard.end !== null) heard.afterEnd++;
  };
  const stream = rig.session.open(
    { method: 'POST', path: '/v1/chat/completions', headers: {}, ...request },
    {
      head(status) {
        listen();
        heard.status = status;
      },
      data(bytes) {
        listen();
        heard.pieces.push(bytes);
        heard.unreadBytes += bytes.length;
      },
      end() {
        listen();
        heard.end = 'end';
      },
      broken(reason) {
        listen();
        heard.end = reason;
      },
    },
  );
  if (stream === null) throw new Error('the session took no request');
  heard.stream = stream;
  heard.number = (rig.texts.at(-1) as Extract<LinkToNode, { type: 'request' }>).stream;
  return heard;
}

export const head = (rig: Rig, stream: number, status = 200) =>
  rig.session.receiveText(JSON.stringify({ type: 'head', stream, status, headers: {} }));
export const data = (rig: Rig, stream: number, bytes: number | Uint8Array) =>
  rig.session.receiveBinary(encodeBinary(BINARY.data, stream, typeof bytes === 'number' ? new Uint8Array(bytes) : bytes));
export const end = (rig: Rig, stream: number) => rig.session.receiveBinary(encodeBinary(BINARY.end, stream));
export const reset = (rig: Rig, stream: number) => rig.session.receiveBinary(encodeBinary(BINARY.reset, stream));
export const credit = (rig: Rig, stream: number, bytes: number) => rig.session.receiveBinary(encodeCredit(stream, bytes));

/** Sends the whole window of a stream. */
export function fillWindow(rig: Rig, stream: number): void {
  for (let sent = 0; sent < WINDOW_BYTES; sent += CHUNK_BYTES_MAX) data(rig, stream, CHUNK_BYTES_MAX);
}

/** Lets whatever waits for a promise go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
