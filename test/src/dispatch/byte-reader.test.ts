import { describe, expect, it } from 'vitest';
import { openByteReader } from '#src/dispatch/byte-reader';
import { randomChunks } from '#test/support/random-chunks';

const TEXT = 'Wasser läuft 水 🌊 '.repeat(5000);

/** Makes a body of pieces, as one that fills lent buffers or as one that does not. */
function bodyOf(pieces: readonly Uint8Array[], type: 'bytes' | undefined): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream<Uint8Array>({
    ...(type === undefined ? {} : { type }),
    pull(controller: { enqueue(piece: Uint8Array): void; close(): void; byobRequest?: { respond(bytes: number): void } | null }) {
      const piece = left.shift();
      if (piece !== undefined) return controller.enqueue(piece.slice());
      controller.close();
      controller.byobRequest?.respond(0);
    },
  } as unknown as UnderlyingSource<Uint8Array>);
}

async function readAll(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = openByteReader(body);
  const text = new TextDecoder();
  let all = '';
  for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) all += text.decode(bytes, { stream: true });
  return all + text.decode();
}

describe.each([['bytes'], [undefined]] as const)('a body of type %s', (type) => {
  it.each([1, 2, 3])('T1: comes out as it went in, however it is cut (seed %i)', async (seed) => {
    expect(await readAll(bodyOf(randomChunks(TEXT, seed, 40_000), type))).toBe(TEXT);
  });

  it('may be empty', async () => {
    expect(await readAll(bodyOf([], type))).toBe('');
  });

  it('is told when nobody reads on', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      ...(type && { type }),
      cancel: () => void (cancelled = true),
    } as unknown as UnderlyingSource<Uint8Array>);
    await openByteReader(body).cancel();
    expect(cancelled).toBe(true);
  });
});
