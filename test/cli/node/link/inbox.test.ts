import { describe, expect, it } from 'vitest';
import { createInbox } from '#cli/node/link/inbox';

describe('a request body that waits for the engine', () => {
  it('costs no more than its bytes, however small the pieces are in which it came', async () => {
    const credited: number[] = [];
    const inbox = createInbox(5_000, (bytes) => void credited.push(bytes));
    for (let place = 0; place < 5_000; place++) {
      inbox.push(Uint8Array.of(place % 251));
      inbox.push(new Uint8Array(0));
    }
    expect([inbox.unreadBytes, inbox.end()]).toEqual([5_000, true]);
    const pieces: Uint8Array[] = [];
    for await (const piece of inbox.body) pieces.push(piece);
    expect(pieces).toEqual([Uint8Array.from({ length: 5_000 }, (_, place) => place % 251)]);
    expect(credited).toEqual([5_000]);
  });
});
