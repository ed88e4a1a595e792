/** Serves the answers of an engine's fixture on loopback. */
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Answers, AskOptions } from '#cli/node/engines/answers';

interface FixtureAnswer {
  status?: number;
  json?: unknown;
  /** Lines. */
  text?: string[];
}

/** Reads a fixture: path → answer. */
export function readFixture(name: string): Record<string, FixtureAnswer> {
  const file = path.resolve(import.meta.dirname, '../../../fixtures/engines', `${name}.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { answers: Record<string, FixtureAnswer> }).answers;
}

/** Builds the answers of a fixture as if they had been asked for. */
export function answersOf(name: string): Answers {
  return new Map(
    Object.entries(readFixture(name)).map(([asked, { status = 200, json, text = [] }]) => {
      const contentType = json === undefined ? 'text/plain' : 'application/json';
      return [asked, { status, contentType, text: json === undefined ? text.join('\n') : JSON.stringify(json) }] as const;
    }),
  );
}

export interface FixtureServer extends AskOptions {
  stop(): Promise<void>;
}

/** Starts a server on loopback. Stop it when done. */
export async function serve(listener: RequestListener): Promise<FixtureServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: null,
    fetch,
    timeoutMs: 5_000,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Serves a fixture; what it does not have is a 404. */
export function serveFixture(name: string): Promise<FixtureServer> {
  const answers = readFixture(name);
  return serve((request, response) => {
    const { status = 200, json, text = [] } = answers[request.url ?? ''] ?? { status: 404, json: { detail: 'Not Found' } };
    if (json === undefined) response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4' }).end(text.join('\n'));
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  });
}
