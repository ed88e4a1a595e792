/**
 * The upstream of every subject, a process of its own: a fixed JSON answer, a list of one model, or a stream of dated tokens at a set pace.
 * Its parent sends `StreamShape` messages and gets `{ ready: port }` and `{ shaped: true }` back.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIS, chatAnswerBody, monotonicMicros, STREAMS, type StreamWire } from './wire.ts';

/** How the next streams run: how many tokens, and milliseconds between two of them. Zero sends each in its own turn of the loop. */
export interface StreamShape {
  tokens: number;
  intervalMs: number;
}

interface RunningStream {
  response: ServerResponse;
  wire: CutWire;
  left: number;
  total: number;
  dueAtMs: number;
  intervalMs: number;
}

const answer = Buffer.from(chatAnswerBody());
const models = Buffer.from(JSON.stringify({ object: 'list', data: [{ id: 'model', object: 'model' }] }));
const paced = new Set<RunningStream>();
const chat = cut(STREAMS.chat);
const messages = cut(STREAMS.messages);
let shape: StreamShape = { tokens: 8, intervalMs: 2 };

/** A dialect's stream with its token cut where the clock's reading goes. */
interface CutWire extends StreamWire {
  head: string;
  tail: string;
}

function cut(wire: StreamWire): CutWire {
  const [head = '', tail = ''] = wire.token.split('@');
  return { ...wire, head, tail };
}

function writeToken(stream: RunningStream): void {
  const { head, tail } = stream.wire;
  stream.response.write(`${head}t${monotonicMicros()} ${tail}`);
  stream.left -= 1;
}

function finish(stream: RunningStream): void {
  stream.response.end(stream.wire.closing(stream.total));
}

/** Writes one event a turn, and waits when the socket is full: a reader sees single events until it falls behind. */
function writeUnpaced(stream: RunningStream): void {
  if (stream.response.destroyed) return;
  if (stream.left <= 0) {
    finish(stream);
  } else {
    writeToken(stream);
    if (stream.response.writableNeedDrain) stream.response.once('drain', () => writeUnpaced(stream));
    else setImmediate(writeUnpaced, stream);
  }
}

// One timer for all streams: hundreds of timers would bunch up and be charged to the subjects.
setInterval(() => {
  const nowMs = performance.now();
  for (const stream of paced) {
    if (stream.response.destroyed) {
      paced.delete(stream);
    } else if (stream.dueAtMs <= nowMs) {
      stream.dueAtMs += stream.intervalMs;
      if (stream.left > 0) writeToken(stream);
      if (stream.left === 0) {
        paced.delete(stream);
        finish(stream);
      }
    }
  }
}, 1);

function startStream(response: ServerResponse, wire: CutWire): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(wire.opening);
  const stream: RunningStream = {
    response,
    wire,
    left: shape.tokens,
    total: shape.tokens,
    intervalMs: shape.intervalMs,
    dueAtMs: performance.now() + shape.intervalMs,
  };
  if (shape.intervalMs > 0) paced.add(stream);
  else writeUnpaced(stream);
}

function answerWith(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    if (Buffer.concat(parts).includes('"stream":true')) startStream(response, request.url === APIS.messages.path ? messages : chat);
    else answerWith(response, request.method === 'GET' ? models : answer);
  });
});
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.({ ready: (server.address() as AddressInfo).port }));

process.on('message', (message: StreamShape) => {
  shape = message;
  process.send?.({ shaped: true });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {}); // the parent decides when to stop
