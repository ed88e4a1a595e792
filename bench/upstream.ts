/**
 * The upstream of every subject, a process of its own: a fixed JSON answer, or a stream of dated tokens at a set pace.
 * Its parent sends `StreamShape` messages and gets `{ ready: port }` and `{ shaped: true }` back.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chatAnswerBody, chatEvent, monotonicMicros } from './wire.ts';

/** How the next streams run: how many tokens, and milliseconds between two of them. Zero sends each in its own turn of the loop. */
export interface StreamShape {
  tokens: number;
  intervalMs: number;
}

interface RunningStream {
  response: ServerResponse;
  left: number;
  total: number;
  dueAtMs: number;
  intervalMs: number;
}

const answer = Buffer.from(chatAnswerBody());
const paced = new Set<RunningStream>();
const [eventHead, eventTail] = chatEvent({ content: '@' }, null, 0).split('@') as [string, string];
let shape: StreamShape = { tokens: 8, intervalMs: 2 };

function writeToken(stream: RunningStream): void {
  stream.response.write(`${eventHead}t${monotonicMicros()} ${eventTail}`);
  stream.left -= 1;
}

function finish(stream: RunningStream): void {
  stream.response.end(`${chatEvent({}, 'stop', 0)}${chatEvent(null, null, stream.total)}data: [DONE]\n\n`);
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

function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(chatEvent({ role: 'assistant', content: '' }, null, 0));
  const stream: RunningStream = {
    response,
    left: shape.tokens,
    total: shape.tokens,
    intervalMs: shape.intervalMs,
    dueAtMs: performance.now() + shape.intervalMs,
  };
  if (shape.intervalMs > 0) paced.add(stream);
  else writeUnpaced(stream);
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    if (Buffer.concat(parts).includes('"stream":true')) startStream(response);
    else response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
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
