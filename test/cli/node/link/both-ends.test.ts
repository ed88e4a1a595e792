import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AskEngine, EngineRequest } from '#cli/node/link/engine-port';
import { createSession, type Session } from '#cli/node/link/session';
import { LINK_PROTOCOL, NODE_URL, WINDOW_BYTES } from '#schema/node-link';
import { forward } from '#src/nodes/link/forward';
import { LinkSession } from '#src/nodes/link/session';
import { seededRandom } from '#test/support/random-chunks';
import { DESCRIPTION, NODE, ROUTER } from './opened-session.ts';

const STREAMS = 8;
/** Bodies are up to several windows long, so that all of them are used up. */
const BODY_CHARS_MAX = 3 * WINDOW_BYTES;
/** Many times what a play takes: one that gets stuck ends. */
const TURNS_MAX = 50_000;
/** Some engines say a word at a time, some whole pages. */
const PIECE_BYTES_MAX = [300, 5_000, 150_000] as const;

type Message = string | Uint8Array<ArrayBuffer>;
type Random = () => number;

/** A NodeLink's session and a node's, and what is on its way between them: it arrives in order, and when a test says so. */
interface Wire {
  link: LinkSession;
  node: Session;
  toNode: Message[];
  toLink: Message[];
  closings: string[];
}

function openWire(askEngine: AskEngine, takesBundles: boolean): Wire {
  const toNode: Message[] = [];
  const toLink: Message[] = [];
  const closings: string[] = [];
  const link = new LinkSession(
    {
      text: (frame) => toNode.push(JSON.stringify(frame)),
      binary: (message) => toNode.push(message),
      close: (_code, reason) => closings.push(`the router: ${reason}`),
    },
    { said: () => undefined, numbered: () => undefined },
  );
  const node = createSession({
    socket: {
      send: (message) => toLink.push(message),
      room: async () => undefined,
      close: (_code, reason) => closings.push(`the node: ${reason}`),
    },
    routerHost: new URL(ROUTER).host,
    node: NODE,
    sign: () => 'signed',
    standing: () => ({ description: DESCRIPTION, trouble: null }),
    load: () => null,
    askEngine,
    streamsMax: Infinity,
    isDraining: () => false,
    on: () => undefined,
  });
  node.receive(JSON.stringify({ type: 'challenge', protocol: LINK_PROTOCOL, nonce: 'n'.repeat(32), router: ROUTER, takesBundles }));
  node.receive(JSON.stringify({ type: 'welcome', node: NODE, drained: false, endpoints: [NODE] }));
  // The hello is the lobby's to read.
  toLink.length = 0;
  return { link, node, toNode, toLink, closings };
}

/** An engine that says back what it was told, cut anew. */
function createEcho(random: Random): AskEngine {
  async function* recut(body: EngineRequest['body'], bytesMax: number): AsyncGenerator<Uint8Array> {
    for await (const piece of typeof body === 'string' ? [new TextEncoder().encode(body)] : (body ?? [])) {
      for (let from = 0; from < piece.length;) {
        const to = from + 1 + Math.floor(random() * bytesMax);
        yield piece.subarray(from, to);
        from = to;
      }
    }
  }
  return async ({ body }) => {
    const bytesMax = PIECE_BYTES_MAX[Math.floor(random() * PIECE_BYTES_MAX.length)] ?? 1;
    return { status: 200, headers: new Headers({ 'content-type': 'text/plain' }), body: recut(body, bytesMax) };
  };
}

/** A client that asks for an echo and reads it when it is told to. */
interface Client {
  said: string;
  heard: string;
  /** It has had enough once it has heard half. */
  isImpatient: boolean;
  end: 'whole' | 'left' | 'broken' | null;
  read(): void;
}

function ask(wire: Wire, said: string, isImpatient: boolean): Client {
  const decoder = new TextDecoder();
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let isReading = true;
  const client: Client = {
    said,
    heard: '',
    isImpatient,
    end: null,
    read() {
      if (reader === null || isReading || client.end !== null) return;
      isReading = true;
      void reader.read().then(take, broken);
    },
  };
  function take({ done, value }: ReadableStreamReadResult<Uint8Array>): void {
    isReading = false;
    if (done) client.end ??= 'whole';
    else client.heard += decoder.decode(value, { stream: true });
    if (done || !isImpatient || client.heard.length < said.length / 2) return;
    client.end = 'left';
    void reader?.cancel();
  }
  function broken(): void {
    client.end ??= 'broken';
  }
  const headers = { 'content-length': `${said.length}` };
  const request = new Request(`${NODE_URL}/chat/completions`, { method: 'POST', headers, body: said });
  void forward(request, wire.link).then(({ body }) => {
    reader = body?.getReader() ?? null;
    isReading = false;
  }, broken);
  return client;
}

function textOf(length: number, seed: number): string {
  return Array.from({ length }, (_, at) => String.fromCodePoint(97 + ((at * 31 + seed * 17 + (at >> 8)) % 26))).join('');
}

const bytesIn = (messages: readonly Message[]) => messages.reduce((sum, { length }) => sum + length, 0);

async function play(seed: number, takesBundles: boolean): Promise<{ wire: Wire; clients: Client[]; bytesMax: number }> {
  const random = seededRandom(seed);
  const wire = openWire(createEcho(random), takesBundles);
  const clients: Client[] = [];
  let bytesMax = 0;
  const deliver = { node: () => wire.toNode.shift(), link: () => wire.toLink.shift() };

  function step(dice: number): void {
    const anybody = clients[Math.floor(random() * clients.length)];
    if (clients.length < STREAMS && dice < 0.1) {
      const length = 1 + Math.floor(random() * (random() < 0.3 ? 2_000 : BODY_CHARS_MAX));
      clients.push(ask(wire, textOf(length, clients.length), clients.length % 4 === 3));
    } else if (dice < 0.4) {
      const message = deliver.node();
      if (message !== undefined) wire.node.receive(message);
    } else if (dice < 0.7) {
      const message = deliver.link();
      if (typeof message === 'string') wire.link.receiveText(message);
      else if (message !== undefined) wire.link.receiveBinary(message);
    } else anybody?.read();
  }

  const isDone = () => clients.length === STREAMS && clients.every(({ end }) => end !== null);
  for (let turns = 0; turns < TURNS_MAX && !isDone(); turns++) {
    for (let count = Math.floor(random() * 30); count >= 0; count--) step(random());
    bytesMax = Math.max(bytesMax, bytesIn(wire.toNode), bytesIn(wire.toLink));
    await turn();
  }
  return { wire, clients, bytesMax };
}

describe('a router and a node, each as it is', () => {
  it.each([
    [1, true],
    [2, true],
    [3, true],
    [4, false],
  ])(
    'I9: echo bodies of several windows whole, however they are cut, and neither sends ahead of its credit (seed %i, bundles %s)',
    async (seed, takesBundles) => {
      const { wire, clients, bytesMax } = await play(seed, takesBundles);
      expect(wire.closings).toEqual([]);
      for (const { said, heard, isImpatient, end } of clients) {
        expect(end).toBe(isImpatient ? 'left' : 'whole');
        expect(heard === (isImpatient ? said.slice(0, heard.length) : said)).toBe(true);
      }
      // Heads of frames come on top of what the windows allow.
      expect(bytesMax).toBeLessThan(1.1 * STREAMS * WINDOW_BYTES);
      expect(wire.link.streams).toBe(0);
    },
  );
});
