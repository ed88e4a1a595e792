import { describe, expect, it } from 'vitest';
import { createAnswerBody } from '#src/nodes/link/answer-body';
import { randomChunks, seededRandom } from '#test/support/random-chunks';

function open() {
  const seen = { consumed: 0, left: 0 };
  const body = createAnswerBody({ consumed: (bytes) => (seen.consumed += bytes), left: () => seen.left++ });
  return { body, seen };
}

describe('the body of an answer', () => {
  it.each([1, 2, 3, 4, 5])('is what was sent, whoever is faster (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const text = Array.from({ length: 5_000 }, () => String.fromCodePoint(32 + Math.floor(random() * 600))).join('');
    const { body, seen } = open();
    const reading = new Response(body.stream).text();
    for (const chunk of randomChunks(text, seed, 1 + Math.floor(random() * 4_000))) {
      body.push(chunk);
      if (random() < 0.3) await Promise.resolve();
    }
    body.end();
    expect(await reading).toBe(text);
    expect(seen).toEqual({ consumed: new TextEncoder().encode(text).length, left: 0 });
  });

  it('I9: counts nothing as read that nobody has asked for', async () => {
    const { body, seen } = open();
    for (let count = 0; count < 100; count++) body.push(new Uint8Array(1_000));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.consumed).toBe(0);
    const reader = body.stream.getReader();
    await reader.read();
    expect(seen.consumed).toBeLessThanOrEqual(65_536);
  });

  it('breaks at once, with what nobody has read yet, and never ends cleanly', async () => {
    const { body } = open();
    const reader = body.stream.getReader();
    body.push(new Uint8Array([1]));
    body.fail('gone');
    body.end();
    await expect(reader.read()).rejects.toThrow('gone');
  });

  it('breaks a reader that waits', async () => {
    const { body } = open();
    const waiting = body.stream.getReader().read();
    body.fail('gone');
    await expect(waiting).rejects.toThrow('gone');
  });

  it('says once that its reader has left, and takes what still comes', async () => {
    const { body, seen } = open();
    await body.stream.cancel();
    body.push(new Uint8Array(10));
    body.end();
    body.fail('late');
    expect(seen).toEqual({ consumed: 0, left: 1 });
  });

  it('may be empty', async () => {
    const { body } = open();
    body.end();
    expect(await new Response(body.stream).text()).toBe('');
  });
});
