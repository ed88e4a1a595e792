/**
 * The session of one linked node: many streams over one connection, each with its own windows. It is a state machine without clock or
 * sockets: frames go in by `receiveText` and `receiveBinary`, and out by the wire that it is given.
 */
import {
  BINARY,
  CHUNK_BYTES_MAX,
  CREDIT_STEP_BYTES,
  decodeBinary,
  encodeBinary,
  encodeCredit,
  LINK_BUFFER_BYTES_MAX,
  LINK_CLOSE,
  readCredit,
  splitBundle,
  STREAMS_MAX,
  type AnswerHead,
  type LinkToNode,
  type NodeToLink,
} from '#schema/node-link';
import { EndedStreams } from './ended-streams.ts';
import { readControl, readHead } from './read-words.ts';
import { StreamState, type BreakReason, type StreamReader } from './stream.ts';

/** Where frames go. */
export interface LinkWire {
  text(frame: LinkToNode): void;
  binary(message: Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
}

/** What the owner of a session is told. */
export interface SessionEvents {
  /** What the node says of itself, and of no request. */
  said(frame: Extract<NodeToLink, { type: 'load' | 'drain' | 'describe' }>): void;
  /** No stream is numbered `streamsFrom` or higher yet; whoever goes on with this connection later must begin there. */
  numbered(streamsFrom: number): void;
}

/** A request as it goes over the wire, without its number. */
export type LinkRequest = Omit<Extract<LinkToNode, { type: 'request' }>, 'type' | 'stream'>;

/** What whoever has opened a stream may do with it. Once the stream is over, nothing of it has any effect. */
export interface OpenStream {
  /** Sends a piece of the request body as far as the windows allow; resolves when all of it is sent. False: the stream is over. */
  send(bytes: Uint8Array): Promise<boolean>;
  /** The request body is whole. */
  endBody(): void;
  /** The reader has taken `bytes` of what it was given. */
  consumed(bytes: number): void;
  /** Breaks it off; the reader hears nothing more. */
  reset(reason: string): void;
}

/** Numbers are reserved by so many, so that they need not be written down with every request. */
const NUMBERS_RESERVED = 4_096;
/** Late frames that no network explains, before the link is closed. */
const LATE_FRAMES_MAX = 64;

/** The NodeLink’s side of one connection, from the first request to its end. */
export class LinkSession {
  readonly #wire: LinkWire;
  readonly #events: SessionEvents;
  readonly #open = new Map<number, StreamState>();
  readonly #ended = new EndedStreams();
  /** Streams that have ended well, and whose reader has not taken all of the answer. */
  readonly #unread = new Set<StreamState>();
  /** Wakes those who wait for room to send. */
  #waiting: (() => void)[] = [];
  #nextNumber: number;
  #reservedTo: number;
  #unreadBytes = 0;
  #unacknowledgedBytes = 0;
  #lateFrames = 0;
  #isOver = false;

  constructor(wire: LinkWire, events: SessionEvents, streamsFrom = 1) {
    this.#wire = wire;
    this.#events = events;
    this.#nextNumber = streamsFrom;
    this.#reservedTo = streamsFrom;
  }

  /** Streams that are under way. */
  get streams(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= STREAMS_MAX;
  }

  /** Sends a request to the node. Null: the session is over or full. */
  open(request: LinkRequest, reader: StreamReader): OpenStream | null {
    if (this.#isOver || this.isFull) return null;
    const number = this.#nextNumber++;
    if (number >= this.#reservedTo) {
      this.#reservedTo = number + NUMBERS_RESERVED;
      this.#events.numbered(this.#reservedTo);
    }
    const stream = new StreamState(number, reader);
    this.#open.set(number, stream);
    this.#wire.text({ type: 'request', stream: number, ...request });
    return {
      send: (bytes) => this.#send(stream, bytes),
      endBody: () => this.#isOpen(stream) && this.#wire.binary(encodeBinary(BINARY.end, number)),
      consumed: (bytes) => this.#consumed(stream, bytes),
      reset: (reason) => this.#reset(stream, reason),
    };
  }

  /** Takes a text message. */
  receiveText(text: string): void {
    if (this.#isOver) return;
    const frame = readControl(text);
    if (frame === null || frame.type === 'hello') return this.violated('a control frame that is none');
    if (frame.type !== 'head') return this.#events.said(frame);
    const stream = this.#streamOf(frame.stream, 0);
    if (stream !== null) this.#head(stream, frame);
  }

  /** Takes a binary message. */
  receiveBinary(message: ArrayBuffer | Uint8Array): void {
    const parts = splitBundle(message);
    if (parts === null) return this.violated('a bundle that cannot be taken apart');
    for (const part of parts) this.#receivePart(part);
  }

  #receivePart(message: Uint8Array): void {
    if (this.#isOver) return;
    const frame = decodeBinary(message);
    if (frame === null) return this.violated('a binary frame of a wrong length');
    const { kind, payload } = frame;
    const stream = this.#streamOf(frame.stream, kind === BINARY.data ? payload.length : 0);
    if (stream === null) return;
    switch (kind) {
      case BINARY.data:
        return this.#data(stream, payload);
      case BINARY.end:
        return this.#end(stream);
      case BINARY.credit:
        return this.#credit(stream, readCredit(payload));
      case BINARY.reset:
        return this.#finish(stream, true, () => stream.reader.broken('reset'));
      case BINARY.head:
        return this.#head(stream, readHead(payload));
      default:
        return this.violated('a binary frame of an unknown kind');
    }
  }

  /** Ends the session: every stream breaks at once. The connection is the caller's to close. */
  over(): void {
    this.#isOver = true;
    for (const stream of this.#open.values()) this.#finish(stream, false, () => stream.reader.broken('unlinked'));
  }

  /** Finds the stream of a frame; null where it is over, or where nobody may speak of it. */
  #streamOf(number: number, bytes: number): StreamState | null {
    const stream = this.#open.get(number);
    if (stream !== undefined) return stream;
    if (number >= this.#nextNumber || number === 0) this.violated('a frame of a stream that was never opened');
    else if (!this.#ended.forgive(number, bytes) && ++this.#lateFrames > LATE_FRAMES_MAX) this.violated('frames of streams long over');
    return null;
  }

  #head(stream: StreamState, head: AnswerHead | null): void {
    if (head === null) return this.violated('a head that cannot be read');
    if (stream.hasHead) return this.#offend(stream);
    stream.hasHead = true;
    stream.reader.head(head.status, head.headers);
  }

  #data(stream: StreamState, payload: Uint8Array): void {
    if (!stream.hasHead) return this.#offend(stream);
    if (payload.length > stream.receivableBytes) return this.violated('more data than the window allows');
    if (payload.length === 0) return;
    stream.receivableBytes -= payload.length;
    stream.unreadBytes += payload.length;
    this.#unreadBytes += payload.length;
    stream.reader.data(payload);
    if (this.#unreadBytes > LINK_BUFFER_BYTES_MAX) this.#shed();
  }

  #end(stream: StreamState): void {
    if (!stream.hasHead) return this.#offend(stream);
    // What has come of it stays here for as long as nobody reads it, and counts.
    if (stream.unreadBytes > 0) this.#unread.add(stream);
    this.#finish(stream, true, () => stream.reader.end());
  }

  #consumed(stream: StreamState, bytes: number): void {
    if (!this.#isOpen(stream) && !this.#unread.has(stream)) return;
    stream.unreadBytes -= bytes;
    this.#unreadBytes -= bytes;
    if (stream.unreadBytes === 0) this.#unread.delete(stream);
    if (!this.#isOpen(stream)) return;
    stream.uncreditedBytes += bytes;
    if (stream.uncreditedBytes < CREDIT_STEP_BYTES) return;
    this.#wire.binary(encodeCredit(stream.number, stream.uncreditedBytes));
    stream.receivableBytes += stream.uncreditedBytes;
    stream.uncreditedBytes = 0;
  }

  async #send(stream: StreamState, bytes: Uint8Array): Promise<boolean> {
    let sent = 0;
    while (this.#isOpen(stream) && sent < bytes.length) {
      const room = Math.min(stream.sendableBytes, LINK_BUFFER_BYTES_MAX - this.#unacknowledgedBytes, CHUNK_BYTES_MAX);
      if (room <= 0) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      const piece = bytes.subarray(sent, sent + room);
      this.#wire.binary(encodeBinary(BINARY.data, stream.number, piece));
      stream.sendableBytes -= piece.length;
      this.#unacknowledgedBytes += piece.length;
      sent += piece.length;
    }
    return this.#isOpen(stream);
  }

  #credit(stream: StreamState, bytes: number | null): void {
    if (bytes === null || bytes > stream.unacknowledgedBytes) return this.violated('credit for what was never sent');
    stream.sendableBytes += bytes;
    this.#acknowledged(bytes);
  }

  #acknowledged(bytes: number): void {
    this.#unacknowledgedBytes -= bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #isOpen(stream: StreamState): boolean {
    return this.#open.get(stream.number) === stream;
  }

  /** Closes a stream and then tells its reader, so that whatever the reader does finds it over. */
  #finish(stream: StreamState, isEndedByNode: boolean, tell: () => void): void {
    this.#open.delete(stream.number);
    this.#ended.add(stream.number, isEndedByNode ? 0 : stream.receivableBytes);
    if (!this.#unread.has(stream)) this.#unreadBytes -= stream.unreadBytes;
    this.#acknowledged(stream.unacknowledgedBytes);
    tell();
  }

  #reset(stream: StreamState, reason: string): void {
    if (this.#unread.delete(stream)) this.#unreadBytes -= stream.unreadBytes;
    if (!this.#isOpen(stream)) return;
    this.#finish(stream, false, () => undefined);
    this.#wire.binary(encodeBinary(BINARY.reset, stream.number, new TextEncoder().encode(reason)));
  }

  #breakOff(stream: StreamState, reason: BreakReason, words: string): void {
    this.#reset(stream, words);
    stream.reader.broken(reason);
  }

  #offend(stream: StreamState): void {
    this.#breakOff(stream, 'protocol', 'frames out of order');
  }

  /** Gives up the stream that holds most: whoever does not read must not take the memory of all. */
  #shed(): void {
    const most = [...this.#open.values(), ...this.#unread].reduce((one, other) => (other.unreadBytes > one.unreadBytes ? other : one));
    this.#breakOff(most, 'unread', 'nobody reads it');
  }

  /** Ends the session because the node broke the rules. */
  violated(reason: string): void {
    if (this.#isOver) return;
    this.over();
    this.#wire.close(LINK_CLOSE.violation, reason);
  }
}
