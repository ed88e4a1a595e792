/** An HTTP call to the engine on this machine: Node's own client, which costs less than half of what `fetch` takes for a streamed answer. */
import { Agent, request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream';
import type { EngineAnswer, EngineRequest } from './engine-port.ts';

/** An answer that can be given up unread. */
export interface CalledAnswer extends EngineAnswer {
  drop(): void;
}

/** Calls an engine. Rejects where no answer begins, or when aborted; an answer that breaks off throws at whoever reads its body. No redirect is followed. */
export type CallEngine = (url: string, request: Omit<EngineRequest, 'path'>, signal: AbortSignal) => Promise<CalledAnswer>;

/** Shorter than any engine keeps an idle connection: uvicorn hangs up after 5 s, and a request must not meet that. */
const IDLE_MS = 4_000;
const POOL = { keepAlive: true, timeout: IDLE_MS };
const pool = new Agent(POOL);
const securePool = new SecureAgent(POOL);

/** Calls over HTTP, on connections that are kept. */
export const callEngine: CallEngine = (address, { method, headers, body, bodyBytes }, signal) => {
  const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : bodyBytes;
  const options: RequestOptions = { method, headers: { ...headers, ...(body !== null && { 'content-length': sizeBytes }) } };
  const { promise, resolve, reject } = Promise.withResolvers<CalledAnswer>();
  const request = address.startsWith('https:')
    ? requestHttps(address, { ...options, agent: securePool })
    : requestHttp(address, { ...options, agent: pool });
  const abort = (): void => void request.destroy(new Error('aborted'));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  request.on('response', (answer) => resolve(toAnswer(answer)));
  // Heard for as long as the request lives: once there is an answer, its body tells.
  request.on('error', reject);
  // A connection that turns into another protocol ends without a word.
  request.on('close', () => reject(new Error('the connection has closed')));
  if (body === null || typeof body === 'string') request.end(body ?? undefined);
  else pipeline(body, request, () => {});
  return promise;
};

function toAnswer(answer: IncomingMessage): CalledAnswer {
  return {
    status: answer.statusCode ?? 0,
    headers: { get: (name) => [answer.headers[name] ?? []].flat()[0] ?? null },
    body: answer,
    drop: () => void answer.destroy(),
  };
}
