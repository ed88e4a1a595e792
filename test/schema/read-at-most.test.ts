import { describe, expect, it } from 'vitest';
import { readAtMost } from '#schema/read-at-most';

/** A body in pieces that never ends by itself where `endless`; tells how it went. */
function bodyOf(pieces: readonly Uint8Array[], { endless = false } = {}) {
  const seen = { given: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const piece = pieces[endless ? seen.given % pieces.length : seen.given];
        if (piece === undefined) return controller.close();
        seen.given++;
        controller.enqueue(Uint8Array.from(piece));
      },
      cancel: () => void (seen.isCancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a body of an answer', () => {
  it('is read whole up to the limit, to the byte', async () => {
    expect(await readAtMost(bodyOf([bytes('abc'), bytes('de')]), 5)).toBe('abcde');
    expect(await readAtMost(bodyOf([bytes('abc'), bytes('de')]), 4)).toBeNull();
    expect(await readAtMost({ body: null }, 0)).toBe('');
  });

  it('keeps characters whole that arrive in pieces, and counts their bytes', async () => {
    const pieces = [...bytes('aß😀')].map((byte) => Uint8Array.of(byte));
    expect(await readAtMost(bodyOf(pieces), 7)).toBe('aß😀');
    expect(await readAtMost(bodyOf(pieces), 6)).toBeNull();
  });

  it('I7: is cancelled at the limit, so that an endless one ends', async () => {
    const { body, seen } = bodyOf([new Uint8Array(100)], { endless: true });
    expect(await readAtMost({ body }, 250)).toBeNull();
    expect(seen).toEqual({ given: 3, isCancelled: true });
  });

  it('rejects where it breaks off', async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => controller.error(new Error('cut')) });
    await expect(readAtMost({ body }, 10)).rejects.toThrow('cut');
  });
});
