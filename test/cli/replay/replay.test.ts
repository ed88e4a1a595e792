import { existsSync, mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient } from '#cli/router/client';
import { replay, type ReplayPorts } from '#cli/replay/replay';
import { offerOf, pricedAt } from '../../src/routing/fleet.ts';
import { feedOf, oneModel, record, storedOf } from './world.ts';

const DOCUMENTS = { base: {}, strict: { ignore: ['miner'] } };
const FLEET = oneModel([
  offerOf({ endpointId: 'miner', price: pricedAt(100_000) }),
  offerOf({ endpointId: 'api', price: pricedAt(900_000) }),
]);
const PAGES = 6;
const PAGE = 50;
const REQUESTS = PAGES * PAGE;

const servers = new Set<Server>();
afterEach(() => {
  for (const server of servers) server.close();
  servers.clear();
});

/** A router that knows these requests; `onPage` may break it before it answers. */
async function startRouter(onPage: (page: number, server: Server) => void = () => {}): Promise<string> {
  const items = Array.from({ length: REQUESTS }, () => record({ entries: FLEET, documents: DOCUMENTS }));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://router');
    const page = Number(url.searchParams.get('cursor') ?? 0);
    const answers: Record<string, () => unknown> = {
      '/v1/catalog': () => ({ data: feedOf(FLEET) }),
      '/v1/policies': () => storedOf(DOCUMENTS),
      '/v1/receipts': () => {
        onPage(page, server);
        const data = items.slice(page * PAGE, (page + 1) * PAGE);
        return { ...(page === 0 && { total: REQUESTS }), next_cursor: page + 1 < PAGES ? String(page + 1) : null, data };
      },
    };
    const body = JSON.stringify(answers[url.pathname]?.() ?? {});
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function portsOf(url: string, over: Partial<ReplayPorts> = {}): ReplayPorts {
  const connection = { url, key: 'sk-hr-mgmt-test' };
  return { client: createClient(connection), connection, onProgress: () => {}, signal: new AbortController().signal, ...over };
}

const ORDER = { policy: 'strict', since: '2027-01-01T00:00:00Z', until: '2027-01-08T00:00:00Z', team: null, out: null };

describe('a replay over several threads', () => {
  it('reads every page once and reports the same however the threads take turns', async () => {
    const url = await startRouter();
    const progress: [number, number | null][] = [];
    const report = await replay(ORDER, portsOf(url, { onProgress: (done, total) => progress.push([done, total]) }));
    expect(report).toMatchObject({ recorded: REQUESTS, replayed: REQUESTS, total: { changed: REQUESTS } });
    expect(report.moves).toHaveLength(1);
    expect(progress).toEqual(Array.from({ length: PAGES }, (_, page) => [(page + 1) * PAGE, REQUESTS]));
    expect(JSON.stringify(await replay(ORDER, portsOf(url)))).toBe(JSON.stringify(report));
  });

  it('claims nothing when the router goes away half way', async () => {
    const url = await startRouter((page, server) => {
      if (page === 3) server.closeAllConnections();
    });
    const out = path.join(mkdtempSync(path.join(tmpdir(), 'replay-half-')), 'lines.csv');
    const failure = await replay({ ...ORDER, out }, portsOf(url)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringMatching(/cannot reach .*after \d+ requests: there is no report/) });
    expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([false, false]);
  });

  it('ends without a report when it is interrupted', async () => {
    const interrupted = new AbortController();
    const url = await startRouter((page) => {
      if (page === 2) interrupted.abort();
    });
    const failure = await replay(ORDER, portsOf(url, { signal: interrupted.signal })).catch((error: unknown) => error);
    expect(failure).toMatchObject({ exitCode: 130, message: '' });
  });

  it('says when the router is another version', async () => {
    const server = createServer((_, response) => response.end('{"data":{"models":7}}'));
    servers.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const policy of ['strict', path.resolve('examples/local.yaml')])
      await expect(replay({ ...ORDER, policy }, portsOf(url))).rejects.toThrow(/way that this version does not read/);
  });
});
