import { describe, expect, it } from 'vitest';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { createBackoff } from '#cli/node/link/backoff';
import type { LinkEnd } from '#cli/node/link/after-close';
import { keepLink, type LinkEvent } from '#cli/node/link/keep-link';
import type { SocketHandlers } from '#cli/node/link/socket';
import { HELLO_TIMEOUT_MS, LINK_CLOSE, LINK_PROTOCOL, PING_INTERVAL_MS, SILENCE_LIMIT_MS } from '#schema/node-link';
import { createManualClock } from '#test/support/manual-clock';
import { seededRandom } from '#test/support/random-chunks';
import { DESCRIPTION, NODE, request, ROUTER } from './opened-session.ts';

interface Dialling {
  handlers: SocketHandlers;
  sent: string[];
  closed: number | null;
  dropped: string | null;
  /** Opens the connection and lets the node in. */
  welcome(): void;
  end(end?: Partial<LinkEnd>): void;
}

function keep({ random = () => 1 }: { random?: () => number } = {}) {
  const clock = createManualClock();
  const dials: Dialling[] = [];
  const events: LinkEvent[] = [];
  const link = keepLink({
    url: 'wss://router.example.com/v1/nodes/rig/link',
    dial(_url, handlers) {
      const dialling: Dialling = {
        handlers,
        sent: [],
        closed: null,
        dropped: null,
        welcome() {
          handlers.opened({
            send: (message) => void (typeof message === 'string' && dialling.sent.push(message)),
            room: async () => undefined,
            close: (code) => void (dialling.closed = code),
          });
          handlers.received(JSON.stringify({ type: 'challenge', protocol: LINK_PROTOCOL, nonce: 'n'.repeat(20), router: ROUTER }));
          handlers.received(JSON.stringify({ type: 'welcome', node: NODE, drained: false, endpoints: [NODE] }));
        },
        end: (end = {}) => handlers.ended({ code: 1006, reason: '', refusal: null, ...end }),
      };
      dials.push(dialling);
      return {
        drop(reason) {
          dialling.dropped = reason;
          dialling.end({ reason });
        },
      };
    },
    timers: clock.timers,
    now: clock.now,
    random,
    routerHost: 'router.example.com',
    node: NODE,
    sign: createKeyPair().sign,
    standing: () => ({ description: DESCRIPTION, trouble: null }),
    load: () => null,
    askEngine: async () => Response.json({}),
    streamsMax: Infinity,
    isDraining: () => false,
    on: (event) => void events.push(event),
  });
  let over: string | null | undefined;
  void link.over.then((reason) => (over = reason));
  const waits = (): (number | null)[] => events.flatMap((event) => (event.type === 'unlinked' ? [event.againInMs] : []));
  return { clock, dials, events, link, waits, last: () => dials.at(-1) as Dialling, over: () => over };
}

describe('a lost link', () => {
  it('is dialled again with exponential back-off from half a second to ten', async () => {
    const { clock, last, waits, dials } = keep();
    for (let loss = 0; loss < 9; loss++) {
      last().end();
      await clock.pass(waits().at(-1) ?? 0);
    }
    expect(waits()).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000]);
    expect(dials).toHaveLength(10);
  });

  it('is dialled at times that a thousand nodes do not share', () => {
    const random = seededRandom(7);
    const waits = Array.from({ length: 1_000 }, () => {
      const backoff = createBackoff(random);
      for (let attempt = 0; attempt < 6; attempt++) backoff.next();
      return backoff.next();
    });
    const [tenth, ninth] = [waits.filter((wait) => wait < 1_000).length, waits.filter((wait) => wait > 9_000).length];
    expect(Math.abs(tenth - 100)).toBeLessThan(40);
    expect(Math.abs(ninth - 100)).toBeLessThan(40);
  });

  it('waits as long as the router asks', async () => {
    const { clock, last, waits, dials } = keep();
    last().end({ refusal: { status: 429, retryAfterMs: 7_000 } });
    await clock.pass(7_000);
    expect(dials).toHaveLength(1);
    expect(waits()).toEqual([7_500]);
    last().end({ refusal: { status: 429, retryAfterMs: null } });
    await clock.pass(500);
    expect(dials).toHaveLength(2);
    last().end({ code: LINK_CLOSE.tooOften });
    expect(waits().at(-1)).toBeGreaterThanOrEqual(10_000);
  });

  it('starts over with short waits only after a link that held', async () => {
    const { clock, last, waits } = keep();
    for (let loss = 0; loss < 3; loss++) {
      last().welcome();
      last().end();
      await clock.pass(5_000);
    }
    expect(waits()).toEqual([500, 1_000, 2_000]);
    last().welcome();
    for (let second = 0; second < 35; second += 5) {
      await clock.pass(5_000);
      last().handlers.received('pong');
    }
    last().end();
    expect(waits().at(-1)).toBe(500);
  });

  it.each([
    [LINK_CLOSE.refused, /refuses this node/],
    [LINK_CLOSE.replaced, /another process/],
    [LINK_CLOSE.gone, /has left or was removed/],
  ])('is not dialled again after close code %i', async (code, words) => {
    const { clock, last, over, dials } = keep();
    last().welcome();
    last().end({ code, reason: 'said so' });
    await clock.pass(120_000);
    expect(over()).toMatch(words);
    expect(dials).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });

  it.each([401, 403, 404, 410])('is not dialled again after HTTP %i', async (status) => {
    const { clock, last, over, dials } = keep();
    last().end({ refusal: { status, retryAfterMs: null } });
    await clock.pass(120_000);
    expect(over()).toMatch(/join again with a token/);
    expect(dials).toHaveLength(1);
  });

  it('is dialled again after a violation of the router’s, with a pause', async () => {
    const { clock, last, dials, events } = keep();
    last().welcome();
    last().handlers.received('{');
    expect(last().closed).toBe(LINK_CLOSE.violation);
    expect(events.at(-1)).toMatchObject({ type: 'unlinked', reason: 'the router sent a frame that cannot be read' });
    await clock.pass(500);
    expect(dials).toHaveLength(2);
  });
});

describe('silence', () => {
  it('is broken by a ping every ten seconds, and a link on which nothing comes back is given up after thirty', async () => {
    const { clock, last, dials } = keep();
    const [first] = dials;
    last().welcome();
    await clock.pass(PING_INTERVAL_MS * 2);
    expect(first?.sent.filter((message) => message === 'ping')).toHaveLength(2);
    last().handlers.received('pong');
    await clock.pass(SILENCE_LIMIT_MS - PING_INTERVAL_MS);
    expect(first?.dropped).toBeNull();
    await clock.pass(PING_INTERVAL_MS);
    expect(first?.dropped).toBe('nothing was heard of the router');
    await clock.pass(500);
    expect(dials).toHaveLength(2);
  });

  it('of a router that never answers the call ends the call', async () => {
    const { clock, dials } = keep();
    await clock.pass(HELLO_TIMEOUT_MS);
    expect(dials[0]?.dropped).toBe('the router does not answer');
  });

  it('of a router that answers pings and lets nobody in ends the call too', async () => {
    const { clock, dials, last } = keep();
    for (let second = 0; second < 12; second++) {
      last().handlers.received('pong');
      await clock.pass(1_000);
    }
    expect(dials[0]?.dropped).toBe('the router does not answer');
  });
});

describe('leaving', () => {
  it('closes the link, lets every request go, and comes back never', async () => {
    const { clock, last, link, over, dials } = keep();
    last().welcome();
    last().handlers.received(JSON.stringify(request(1)));
    link.leave();
    await clock.pass(120_000);
    expect([last().closed, over(), dials.length, link.streams, clock.pending()]).toEqual([1000, null, 1, 0, 0]);
  });

  it('while waiting to dial again ends the waiting', async () => {
    const { clock, last, link, over } = keep();
    last().end();
    link.leave();
    await clock.pass(60_000);
    expect([over(), clock.pending()]).toEqual([null, 0]);
  });
});

describe('Retry-After', () => {
  it('R2: never holds a node longer than ten minutes', () => expect(createBackoff(() => 0).next(9e12)).toBe(600_000));
});
