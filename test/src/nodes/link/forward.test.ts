import { describe, expect, it } from 'vitest';
import { BINARY, CHUNK_BYTES_MAX, STREAMS_MAX, WINDOW_BYTES, type LinkToNode } from '#schema/node-link';
import { forward } from '#src/nodes/link/forward';
import { ask, credit, data, end, head, openRig, type Rig } from './link-rig.ts';

const PIECE_BYTES = 16 * 1024;
const macrotask = () => new Promise((resolve) => setImmediate(resolve));

/** A request whose body says how much of it has been read. `sizeBytes` is what its head says. */
function upload(bytes: number, sizeBytes = bytes) {
  const seen = { readBytes: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (seen.readBytes >= bytes) return controller.close();
        seen.readBytes += PIECE_BYTES;
        controller.enqueue(new Uint8Array(PIECE_BYTES));
      },
      cancel: () => void (seen.isCancelled = true),
    },
    { highWaterMark: 0 },
  );
  const headers = { 'content-length': String(sizeBytes), 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
  return { request: new Request('http://node/v1/chat/completions', init), seen };
}

const sentBytes = (rig: Rig) =>
  rig.binaries.filter(({ kind }) => kind === BINARY.data).reduce((sum, { payload }) => sum + payload.length, 0);
const kindsAtEnd = (rig: Rig) => rig.binaries.at(-1)?.kind;
const numberOf = (rig: Rig) => (rig.texts.at(-1) as Extract<LinkToNode, { type: 'request' }>).stream;

describe('a long request', () => {
  it('is read no faster than the node reads it: a thousand of them do not fill the object', async () => {
    const rig = openRig();
    const { request, seen } = upload(64 * PIECE_BYTES);
    const answer = forward(request, rig.session);
    await macrotask();
    expect(rig.texts).toMatchObject([{ type: 'request', bodyBytes: 64 * PIECE_BYTES }]);
    expect(sentBytes(rig)).toBe(WINDOW_BYTES);
    expect(seen.readBytes).toBeLessThanOrEqual(WINDOW_BYTES + 2 * PIECE_BYTES);
    const number = numberOf(rig);
    for (let given = 0; given < 64 * PIECE_BYTES; given += WINDOW_BYTES / 2) {
      credit(rig, number, WINDOW_BYTES / 2);
      await macrotask();
    }
    expect([sentBytes(rig), kindsAtEnd(rig)]).toEqual([64 * PIECE_BYTES, BINARY.end]);
    head(rig, number);
    expect((await answer).status).toBe(200);
  });

  it('that is answered before it is whole is let go, and the answer stays whole', async () => {
    const rig = openRig();
    const { request, seen } = upload(64 * PIECE_BYTES);
    const answer = forward(request, rig.session);
    await macrotask();
    const number = numberOf(rig);
    head(rig, number, 400);
    data(rig, number, new TextEncoder().encode('too long'));
    end(rig, number);
    const response = await answer;
    await macrotask();
    expect([response.status, await response.text(), seen.isCancelled]).toEqual([400, 'too long', true]);
  });

  it.each([
    ['shorter', 32],
    ['longer', 8],
  ])('that is %s than it says is broken off', async (_, sizePieces) => {
    const rig = openRig();
    const { request } = upload(16 * PIECE_BYTES, sizePieces * PIECE_BYTES);
    const answer = forward(request, rig.session);
    await macrotask();
    if (sizePieces > 16) credit(rig, numberOf(rig), WINDOW_BYTES);
    expect((await answer).status).toBe(502);
    expect(kindsAtEnd(rig)).toBe(BINARY.reset);
    expect(rig.session.streams).toBe(0);
  });

  it('goes in frames as long as they may be, every byte once, where its stream gives little by itself', async () => {
    const rig = openRig();
    const bytes = new Uint8Array(3 * CHUNK_BYTES_MAX + 100).map((_, place) => place % 251);
    let at = 0;
    const body = new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: 4 * 1024,
      pull(controller) {
        const { byobRequest } = controller;
        const view = byobRequest?.view as Uint8Array;
        const piece = bytes.subarray(at, at + view.length);
        view.set(piece);
        at += piece.length;
        if (piece.length === 0) controller.close();
        byobRequest?.respond(piece.length);
      },
    });
    const headers = { 'content-length': String(bytes.length), 'content-type': 'application/json' };
    void forward(
      new Request('http://node/v1/chat/completions', { method: 'POST', headers, body, duplex: 'half' } as RequestInit),
      rig.session,
    );
    await macrotask();
    await macrotask();
    const frames = rig.binaries.filter(({ kind }) => kind === BINARY.data).map(({ payload }) => payload);
    expect(frames.map(({ length }) => length)).toEqual([CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, 100]);
    expect(Buffer.concat(frames).equals(bytes)).toBe(true);
    expect(kindsAtEnd(rig)).toBe(BINARY.end);
  });

  it('for a node that is full is not read at all', async () => {
    const rig = openRig();
    for (let count = 0; count < STREAMS_MAX; count++) ask(rig);
    const { request, seen } = upload(64 * PIECE_BYTES);
    expect((await forward(request, rig.session)).status).toBe(503);
    expect(seen.readBytes).toBe(0);
  });
});
