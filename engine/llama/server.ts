/** The HTTP of llama-server, as far as a router meets it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerWhole, stream, type Desk } from './completion.ts';
import { invalid, toErrorBody, unavailable, type Refusal } from './refusal.ts';
import { readWish, type Wish } from './request.ts';
import { renderModels, renderProps, type ServedFacts } from './said-of-itself.ts';

const BODY_BYTES_MAX = 4 * 2 ** 20;
const IDLE_LOOK_MS = 50;

/** What is served; null while the model loads. */
export type Served = { desk: Desk; facts: ServedFacts } | null;

export interface EngineServer {
  port: number;
  /** Takes no new connection, ends idle ones, and resolves when the last answer has gone. */
  drain(): Promise<void>;
}

const COMPLETIONS: Readonly<Record<string, Wish['kind']>> = {
  '/v1/completions': 'text',
  '/v1/chat/completions': 'chat',
};

/** Listens on loopback; 0 is any free port. Until `served()` gives something, every answer is 503. */
export async function startServer(port: number, served: () => Served): Promise<EngineServer> {
  const server = createServer((request, response) => {
    handle(request, response, served()).catch(() => {
      // Nothing of the error goes out: it may quote the prompt.
      refuse(response, { status: 500, type: 'server_error', message: 'the engine has failed' });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, drain: () => drain(server) };
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection whose answer has ended is kept open for the client's next request; there will be none.
    const timer = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
  });
}

async function handle(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://engine');
  if (served === null) return refuse(response, unavailable('Loading model'));
  const { desk, facts } = served;
  const kind = COMPLETIONS[pathname];
  if (kind !== undefined) {
    if (request.method !== 'POST') return refuse(response, { ...invalid('use POST'), status: 405 });
    return answerCompletion(desk, kind, request, response);
  }
  if (pathname === '/health') return sendJson(response, 200, { status: 'ok' });
  if (pathname === '/v1/models') return sendJson(response, 200, renderModels(facts));
  if (pathname === '/props') return sendJson(response, 200, renderProps(facts));
  if (pathname === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    return void response.end(desk.metrics.render(desk.slots.counts()));
  }
  refuse(response, { status: 404, type: 'not_found_error', message: 'File Not Found' });
}

async function answerCompletion(desk: Desk, kind: Wish['kind'], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const body = await readJson(request);
  if ('status' in body) return refuse(response, body);
  const wish = readWish(kind, body.value);
  if ('status' in wish) return refuse(response, wish);
  if (!wish.streaming) {
    const answer = await answerWhole(desk, wish, gone.signal);
    if (answer === null) return;
    return 'status' in answer ? refuse(response, answer) : sendJson(response, 200, answer.body);
  }
  const refusal = await stream(desk, wish, {
    signal: gone.signal,
    send: (event) => sendEvent(response, JSON.stringify(event), gone.signal),
  });
  if (refusal !== null) return refuse(response, refusal);
  if (!gone.signal.aborted) await sendEvent(response, '[DONE]', gone.signal);
  response.end();
}

async function readJson(request: IncomingMessage): Promise<{ value: unknown } | Refusal> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) return { ...invalid(`the body is longer than ${BODY_BYTES_MAX} bytes`), status: 413 };
    chunks.push(chunk);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return invalid('the body is not JSON');
  }
}

/** Writes an event and waits while the client reads slowly. False when the connection is gone. */
async function sendEvent(response: ServerResponse, data: string, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  if (response.write(`data: ${data}\n\n`)) return true;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    response.on('drain', settle);
    signal.addEventListener('abort', settle);
  });
  return !signal.aborted;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

/** Says no: with a status before the first byte, with an error event after it. */
function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.destroyed) return;
  if (!response.headersSent) return sendJson(response, refusal.status, toErrorBody(refusal));
  response.end(`data: ${JSON.stringify(toErrorBody(refusal))}\n\n`);
}
