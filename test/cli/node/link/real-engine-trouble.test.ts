import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalEngine } from '#cli/node/link/local-engine';
import { BINARY, CHUNK_BYTES_MAX, WINDOW_BYTES } from '#schema/node-link';
import { pause } from '#test/support/pause';
import { serve, type FixtureServer } from '../engines/fixture-server.ts';
import { openSession, request, type OpenedSession } from './opened-session.ts';

const open: FixtureServer[] = [];
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
  process.off('unhandledRejection', note);
});

async function inFrontOf(listener: RequestListener): Promise<OpenedSession> {
  const server = await serve(listener);
  open.push(server);
  return openSession({ askEngine: createLocalEngine({ ...server, fullStatuses: () => [], onTrouble: () => {}, onMissing: () => {} }) });
}

function over(opened: OpenedSession, stream: number): Promise<void> {
  return expect.poll(() => opened.answered(stream).ended || opened.answered(stream).reset !== null).toBe(true);
}

const LONG = { body: undefined, bodyBytes: WINDOW_BYTES * 2 };

describe('a real engine in trouble never ends the node', () => {
  it.each<[what: string, listener: RequestListener]>([
    ['answers without reading a long request', (_, response) => response.writeHead(413).end('{}')],
    ['hangs up in the middle of a long request', (incoming) => void incoming.once('data', () => incoming.destroy())],
    ['hangs up at once', (incoming) => void incoming.destroy()],
    [
      'breaks off its answer',
      (_, response) => (response.writeHead(200, { 'content-length': '100' }).write('x'), void setTimeout(() => response.destroy(), 5)),
    ],
  ])('that %s', async (_what, listener) => {
    const opened = await inFrontOf(listener);
    opened.say(request(1, LONG));
    for (let sent = 0; sent < WINDOW_BYTES; sent += CHUNK_BYTES_MAX) opened.binary(BINARY.data, 1, new Uint8Array(CHUNK_BYTES_MAX));
    await over(opened, 1);
    expect([413, 503, 200, null]).toContain(opened.answered(1).status);
    expect(opened.answered(1).ended || opened.answered(1).reset !== null).toBe(true);
    // What the router still had on its way is nobody's fault.
    opened.binary(BINARY.data, 1, new Uint8Array(10));
    await pause(30);
    expect([opened.closed, opened.session.streams, unhandled]).toEqual([null, 0, []]);
  });

  it('or a router that lets go in the middle of a long request', async () => {
    const opened = await inFrontOf(() => {});
    opened.say(request(1, LONG));
    opened.binary(BINARY.data, 1, new Uint8Array(CHUNK_BYTES_MAX));
    await pause(30);
    opened.binary(BINARY.reset, 1);
    await pause(30);
    expect([opened.closed, opened.session.streams, unhandled]).toEqual([null, 0, []]);
  });
});
