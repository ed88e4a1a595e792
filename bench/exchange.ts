/**
 * One keep-alive connection that sends the same request over and over, closed loop.
 * Raw sockets and a parser for exactly two answers, so that the generator costs a few microseconds a request.
 */
import { connect, type Socket } from 'node:net';
import { monotonicMicros } from './wire.ts';

/** Where and what to send. `request` is the whole HTTP/1.1 message; `tokenMark` stands before the clock's reading in every token. */
export interface Target {
  host: string;
  port: number;
  request: Buffer;
  tokenMark: Buffer;
}

/** Told what happens on a connection. Times in microseconds of the monotonic clock. */
export interface Observer {
  /** A whole answer arrived. `firstTokenMicros` counts from the request; NaN when no token was seen. */
  answered(status: number, durationMicros: number, firstTokenMicros: number): void;
  /** A streamed token arrived this long after the upstream wrote it. */
  token(delayMicros: number): void;
  failed(reason: string): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n'); // no event of the bench upstream contains it
const SPACE = 0x20;
const ZERO = 0x30;

/** Sends until `stop`; an answer that is under way then still completes. */
export class Exchange {
  readonly #socket: Socket;
  readonly #target: Target;
  readonly #observer: Observer;
  #running = true;
  /** Bytes of an answer's head so far; null once it is complete. */
  #head: Buffer | null = Buffer.alloc(0);
  #status = 0;
  #bodyLeft = 0;
  #chunked = false;
  #tail = Buffer.alloc(0);
  #sentAtMicros = 0;
  #firstTokenMicros = Number.NaN;
  readonly closed: Promise<void>;

  constructor(target: Target, observer: Observer) {
    this.#target = target;
    this.#observer = observer;
    this.#socket = connect({ host: target.host, port: target.port, noDelay: true });
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('data', (part: Buffer) => this.#read(part));
    this.#socket.on('error', (error) => this.#observer.failed(error.message));
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        if (this.#running) this.#observer.failed('connection closed');
        resolve();
      });
    });
  }

  /** Lets the answer under way complete, then closes. `abort` closes at once. */
  stop(abort: boolean): void {
    this.#running = false;
    if (abort) this.#socket.destroy();
  }

  #send(): void {
    this.#head = Buffer.alloc(0);
    this.#firstTokenMicros = Number.NaN;
    this.#sentAtMicros = monotonicMicros();
    this.#socket.write(this.#target.request);
  }

  #read(part: Buffer): void {
    if (this.#head === null) {
      this.#readBody(part);
      return;
    }
    const seen = this.#head.length === 0 ? part : Buffer.concat([this.#head, part]);
    this.#head = seen;
    const end = seen.indexOf(HEAD_END);
    if (end === -1) return;
    const head = seen.toString('latin1', 0, end).toLowerCase();
    const body = seen.subarray(end + HEAD_END.length);
    this.#head = null;
    this.#tail = Buffer.alloc(0);
    this.#status = Number(head.slice(9, 12));
    this.#chunked = head.includes('\r\ntransfer-encoding: chunked');
    this.#bodyLeft = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
    this.#readBody(body);
  }

  #readBody(part: Buffer): void {
    if (!this.#chunked) {
      this.#bodyLeft -= part.length;
      if (this.#bodyLeft <= 0) this.#complete();
      return;
    }
    this.#readTokens(part);
    const end = Buffer.concat([this.#tail, part.subarray(-LAST_CHUNK.length)]).subarray(-LAST_CHUNK.length);
    this.#tail = end;
    if (end.equals(LAST_CHUNK)) this.#complete();
  }

  // A token cut by the end of a packet goes uncounted: rare, and the same for every subject.
  #readTokens(part: Buffer): void {
    const nowMicros = monotonicMicros();
    const mark = this.#target.tokenMark;
    for (let at = part.indexOf(mark); at !== -1; at = part.indexOf(mark, at)) {
      at += mark.length;
      let writtenAtMicros = 0;
      while (at < part.length && part[at] !== SPACE) {
        writtenAtMicros = writtenAtMicros * 10 + (part[at] as number) - ZERO;
        at += 1;
      }
      if (at === part.length) return;
      if (Number.isNaN(this.#firstTokenMicros)) this.#firstTokenMicros = nowMicros - this.#sentAtMicros;
      this.#observer.token(nowMicros - writtenAtMicros);
    }
  }

  #complete(): void {
    this.#observer.answered(this.#status, monotonicMicros() - this.#sentAtMicros, this.#firstTokenMicros);
    if (this.#running) this.#send();
    else this.#socket.end();
  }
}
