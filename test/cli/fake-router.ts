/** A router that answers what a test says, and the command line against it, inside this process. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { run } from '#cli/program';

export const MANAGEMENT_KEY = 'sk-hr-mgmt-0000000000000000';
export const INFERENCE_KEY = 'sk-hr-000000000000000000000';

/** What a command has sent. */
export interface Sent {
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  authorization: string | undefined;
}

/** Answers of a route: a body, or a status with one; a promise that never ends is silence. */
export type Answer = (sent: Sent) => object | [status: number, body: object] | Promise<object>;

export interface FakeRouter {
  url: string;
  sent: Sent[];
  /** Says what `METHOD /path` (below `/v1`) answers. */
  on(route: string, answer: Answer): void;
  /** Forgets routes and what was sent. */
  reset(): void;
  /** Runs a command line that is told where this router is. */
  headrace(...argv: string[]): Promise<Ran>;
  stop(): Promise<void>;
}

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line in this process. */
export async function runHere(argv: readonly string[]): Promise<Ran> {
  const ran = { out: '', err: '' };
  const code = await run(argv, {
    writeOut: (written) => (ran.out += stripVTControlCharacters(written)),
    writeErr: (written) => (ran.err += stripVTControlCharacters(written)),
  });
  return { code, ...ran };
}

/** Builds an error as the router writes it. */
export function refusal(status: number, code: string, message: string, more: { param?: string; metadata?: object } = {}): [number, object] {
  const metadata = { error_type: 'invalid_request', headrace_code: code, ...more.metadata };
  return [status, { error: { code: status, message, type: 'invalid_request_error', param: more.param ?? null, metadata } }];
}

/** Starts a router on loopback. Stop it when done. */
export async function startFakeRouter(): Promise<FakeRouter> {
  const routes = new Map<string, Answer>();
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    const one = await readSent(request);
    sent.push(one);
    const answer =
      (await routes.get(`${one.method} ${one.path}`)?.(one)) ?? refusal(404, 'not_found', `No route ${one.method} ${one.path}.`);
    const [status, body] = Array.isArray(answer) ? (answer as [number, object]) : [200, answer];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sent,
    on: (route, answer) => void routes.set(route, answer),
    reset() {
      routes.clear();
      sent.length = 0;
    },
    headrace: (...argv) => runHere([...argv, '--url', url, '--key', argv[0] === 'explain' ? INFERENCE_KEY : MANAGEMENT_KEY]),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readSent(request: IncomingMessage): Promise<Sent> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://router');
  const body = await text(request);
  return {
    method: request.method ?? '',
    path: decodeURIComponent(pathname.replace(/^\/v1/, '')),
    query: Object.fromEntries(searchParams),
    body: body === '' ? undefined : (JSON.parse(body) as unknown),
    authorization: request.headers.authorization,
  };
}
