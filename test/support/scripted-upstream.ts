/** An upstream on loopback whose endpoints answer as a test says: a real socket, so that anything can go wrong on it. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that an endpoint received. */
export interface UpstreamCall {
  endpoint: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The JSON body; empty where none or another kind came. */
  body: Record<string, unknown>;
  /** The body as it came, for forms. */
  bytes: Buffer;
  /** Resolves when the router has closed the connection before the answer was finished. */
  aborted: Promise<void>;
}

/** Answers one call. The socket is at `response.socket`. Exceptions fail the call with a broken connection. */
export type Script = (call: UpstreamCall, response: ServerResponse) => void | Promise<void>;

export interface ScriptedUpstream {
  /** Base URL of an endpoint, as a manifest writes it. */
  url(endpoint: string): string;
  /** Replaces what an endpoint does; without a script it answers 500. */
  script(endpoint: string, script: Script): void;
  /** Calls so far, in order. */
  calls: UpstreamCall[];
  /** Calls so far to one endpoint, in order. */
  callsTo(endpoint: string): UpstreamCall[];
  /** Waits until the router has hung up on the first call to an endpoint. Rejects when there was none. */
  hungUpOn(endpoint: string): Promise<void>;
  /** Forgets scripts and calls. */
  reset(): void;
  stop(): Promise<void>;
}

/** Starts on a free port. Stop it when done. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const scripts = new Map<string, Script>();
  const calls: UpstreamCall[] = [];

  const server = createServer((request, response) => {
    const [, endpoint = '', ...path] = (request.url ?? '').split('/');
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const bytes = Buffer.concat(pieces);
      const isJson = request.headers['content-type']?.startsWith('application/json') === true;
      const aborted = new Promise<void>((resolve) => {
        response.on('close', () => {
          if (!response.writableFinished) resolve();
        });
      });
      const call: UpstreamCall = {
        endpoint,
        path: `/${path.join('/')}`,
        headers: request.headers,
        body: isJson ? JSON.parse(bytes.toString('utf8')) : {},
        bytes,
        aborted,
      };
      calls.push(call);
      const script = scripts.get(endpoint) ?? unscripted;
      Promise.resolve()
        .then(() => script(call, response))
        .catch(() => response.destroy());
    });
    // A router that leaves in the middle of its own body is no error of the test's.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const callsTo = (endpoint: string) => calls.filter((call) => call.endpoint === endpoint);
  return {
    url: (endpoint) => `http://127.0.0.1:${port}/${endpoint}/v1`,
    script: (endpoint, script) => void scripts.set(endpoint, script),
    calls,
    callsTo,
    async hungUpOn(endpoint) {
      const [first] = callsTo(endpoint);
      if (first === undefined) throw new Error(`${endpoint} was never called`);
      await first.aborted;
    },
    reset() {
      scripts.clear();
      calls.length = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const unscripted: Script = ({ endpoint }, response) => {
  response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: `no script for ${endpoint}` } }));
};
