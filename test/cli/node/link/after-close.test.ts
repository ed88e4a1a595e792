import { describe, expect, it } from 'vitest';
import { afterClose } from '#cli/node/link/after-close';
import { LINK_CLOSE } from '#schema/node-link';

const closed = (code: number, reason: string) => afterClose({ code, reason, refusal: null });

describe('a link that the router has closed', () => {
  it('for good says the router’s reason', () =>
    expect(closed(LINK_CLOSE.gone, 'it has left')).toEqual({
      again: false,
      reason: 'the node has left or was removed: join again with a token (it has left)',
    }));
  it('for another process says so once', () =>
    expect(closed(LINK_CLOSE.replaced, 'another process has joined as this node')).toEqual({
      again: false,
      reason: 'another process has joined with this node’s identity',
    }));
});
