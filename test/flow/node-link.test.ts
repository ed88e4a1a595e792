import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readAnswer } from '#test/support/answers';
import { along } from '#test/support/endpoint-pool';
import { beginningOf, engine } from '#test/support/engine';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, event, openStream } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { randomChunks, seededRandom } from '#test/support/random-chunks';
import { sendRaw } from '#test/support/raw-client';
import { readReceiptRows, receiptsOf } from '#test/support/receipts';
import {
  admitNode,
  engineAt,
  linkNode,
  makeIdentity,
  type LinkOptions,
  type NodeIdentity,
  type ScriptedNode,
} from '#test/support/scripted-node';

const TEXT = 'It is so, we go up to it all — naïvely, “quoted”, and 🙂 to the end.';
const able = { capabilities: ['continuation', 'logprobs'], max_concurrency: 1000 };
const RIGS = Array.from({ length: 14 }, (_, place) => `rig-${place}`);

let house: House;
let linked: ScriptedNode[] = [];
const identities = new Map<string, NodeIdentity>(RIGS.map((id) => [id, makeIdentity(id)]));
const free = [...RIGS];

beforeAll(async () => {
  house = await openHouse({
    entry: new URL('./node-link-worker.ts', import.meta.url).pathname,
    endpoints: [
      ...RIGS.map((id) => ({ id, url: undefined, link: 'tunnel', ...able })),
      ...['heir', 'other'].map((id) => ({ id, ...able })),
    ],
  });
  for (const identity of identities.values()) await admitNode(await house.db(), identity);
  for (const id of ['heir', 'other']) house.upstream.script(id, engine(TEXT));
});
afterAll(() => house.stop());
afterEach(() => {
  for (const node of linked) node.close();
  linked = [];
});

/** Takes a node that no test has used, not linked yet. */
function takeRig(): string {
  const rig = free.shift();
  if (rig === undefined) throw new Error('add rigs');
  return rig;
}

/** Links a node; it serves as the scripted endpoint of its name. */
async function link(rig: string, options: Partial<LinkOptions> = {}): Promise<ScriptedNode> {
  const node = linkNode({ router: house.url, identity: identities.get(rig)!, serve: engineAt(house.upstream.url(rig)), ...options });
  linked.push(node);
  await node.welcome;
  return node;
}

/** Cuts what an engine writes at random places. */
function cutter(seed: number): (bytes: Uint8Array) => Uint8Array[] {
  const random = seededRandom(seed);
  return (bytes) => {
    const pieces = [];
    for (let from = 0; from < bytes.length;) {
      const to = from + 1 + Math.floor(random() * 40);
      pieces.push(bytes.subarray(from, to));
      from = to;
    }
    return pieces;
  };
}

describe('a tunnelled node', () => {
  it('T1, T2: serves whole answers and streams, cut at any place', async () => {
    const rig = takeRig();
    await link(rig, { serve: engineAt(house.upstream.url(rig), cutter(7)) });
    house.upstream.script(rig, answer({ text: TEXT }));
    const whole = await house.chat(along([rig]));
    expect(((await whole.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).toBe(TEXT);
    expect(whole.headers.get('x-headrace-endpoint')).toBe(rig);
    house.upstream.script(rig, engine(TEXT));
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => readAnswer(await house.chat({ stream: true, ...along([rig]) }))),
    );
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([TEXT]));
  });

  it('takes prompts of any length, and answers of many megabytes', async () => {
    const rig = takeRig();
    const long = 'word '.repeat(60_000);
    await link(rig);
    house.upstream.script(rig, (call, response) => answer({ text: `${call.bytes.length}` })(call, response));
    const response = await house.chat({ messages: [{ role: 'user', content: 'word '.repeat(20_000) }], ...along([rig]) });
    const said = ((await response.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;
    expect(Number(said)).toBeGreaterThan(100_000);
    house.upstream.script(rig, answer({ text: long }));
    const wide = await house.chat(along([rig]));
    expect(((await wide.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).toBe(long);
  });

  it.each(['before the head', 'after the head', 'in the middle'])('T9: hears at once of a client that leaves %s', async (stage) => {
    const rig = takeRig();
    const begun = Promise.withResolvers<AbortSignal>();
    await link(rig, {
      serve: async (request) => {
        if (stage !== 'before the head') request.head(200, { 'content-type': 'text/event-stream' });
        if (stage === 'in the middle')
          await request.data(
            event({ id: 'up', choices: [{ index: 0, delta: { role: 'assistant', content: 'It' }, finish_reason: null }] }),
          );
        begun.resolve(request.left);
      },
    });
    const client = await sendRaw(house, { stream: true, ...along([rig]) });
    const left = await begun.promise;
    await pause(50);
    client.reset();
    await expect.poll(() => left.aborted).toBe(true);
    expect(await receiptsOf(house, rig)).toMatchObject([{ state: 'cancelled' }]);
  });

  it('I9: a client that stops reading stops the node', async () => {
    const rig = takeRig();
    let sentBytes = 0;
    await link(rig, {
      serve: async (request) => {
        request.head(200, { 'content-type': 'text/event-stream' });
        const piece = event({
          id: 'up',
          choices: [{ index: 0, delta: { role: 'assistant', content: 'x'.repeat(30_000) }, finish_reason: null }],
        });
        while (await request.data(piece)) sentBytes += piece.length;
      },
    });
    const client = await sendRaw(house, { stream: true, ...along([rig]) }, { paused: true });
    for (let before = -1; before !== sentBytes || sentBytes === 0; await pause(300)) before = sentBytes;
    expect(sentBytes).toBeLessThan(16 * 1024 * 1024);
    client.reset();
  });
});

it('a link is not compressed: teams would share one dictionary, and the length of a frame would tell one of the words of another', async () => {
  expect((await link(takeRig())).extensions()).toBe('');
});

it('R11: health boards hear the load of a node with its endpoints, and that it is unknown once the link is gone', async () => {
  const rig = takeRig();
  const node = await link(rig);
  const heard = async () => {
    const reports = (await (await fetch(`${house.url}/reports`)).json()) as { load: object | null; endpoints: { endpointId: string }[] }[];
    return reports.filter(({ endpoints }) => endpoints.some(({ endpointId }) => endpointId === rig));
  };
  node.say({ type: 'load', load: { running: 7, waiting: 2, kvUsage: 0.5 } });
  await expect
    .poll(heard)
    .toMatchObject([{ load: { running: 7, waiting: 2, kvUsage: 0.5 }, endpoints: [{ endpointId: rig, modelId: MODEL, operatorId: rig }] }]);
  node.close();
  await expect.poll(heard).toMatchObject([{}, { load: null }]);
});

describe('a node that is not there', () => {
  it('costs a request nothing but the next endpoint’s time', async () => {
    const rig = takeRig();
    const { text, id } = await readAnswer(await house.chat({ stream: true, ...along([rig, 'heir']) }));
    expect(text).toBe(TEXT);
    const { attempts } = await readReceiptRows(house, id);
    expect(attempts).toMatchObject([
      { endpoint: rig, outcome: 'failed', kind: 'away', status: 503 },
      { endpoint: 'heir', outcome: 'completed' },
    ]);
  });

  it('and is the only one is a 503 that says when to come again, however often it is asked, and serves as soon as it is there', async () => {
    const rig = takeRig();
    house.upstream.script(rig, engine(TEXT));
    const only = { provider: { only: [rig] } };
    for (let ask = 0; ask < 6; ask++) {
      const response = await house.chat({ stream: ask % 2 === 1, ...only });
      expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([503, true]);
      expect(await response.json()).toMatchObject({ error: { code: 503, metadata: { error_type: 'provider_overloaded' } } });
    }
    await link(rig);
    expect((await readAnswer(await house.chat({ stream: true, ...only }))).text).toBe(TEXT);
  });

  it('a draining node that is the only one is a 503 too, and opens no breaker', async () => {
    const rig = takeRig();
    house.upstream.script(rig, engine(TEXT));
    const only = { provider: { only: [rig] } };
    const node = await link(rig);
    node.say({ type: 'drain', on: true });
    await pause(100);
    for (let ask = 0; ask < 6; ask++) {
      const response = await house.chat(only);
      expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([503, true]);
      await response.text();
    }
    node.say({ type: 'drain', on: false });
    await pause(100);
    expect((await readAnswer(await house.chat({ stream: true, ...only }))).text).toBe(TEXT);
  });

  it('a draining node is away, not broken: it gets nothing new, and its streams go on', async () => {
    const rig = takeRig();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    house.upstream.script(rig, async (call, response) => {
      openStream(response);
      response.write(event({ id: 'up', choices: [{ index: 0, delta: { role: 'assistant', content: 'It is so,' }, finish_reason: null }] }));
      await gate;
      response.write(event({ id: 'up', choices: [{ index: 0, delta: { content: TEXT.slice(9) }, finish_reason: null }] }));
      response.end(event({ id: 'up', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) + event('[DONE]'));
      void call;
    });
    const node = await link(rig);
    const streaming = await house.chat({ stream: true, ...along([rig]) });
    node.say({ type: 'drain', on: true });
    await pause(100);
    const { text, id } = await readAnswer(await house.chat({ stream: true, ...along([rig, 'heir']) }));
    expect(text).toBe(TEXT);
    expect((await readReceiptRows(house, id)).attempts).toMatchObject([{ endpoint: rig, kind: 'away', status: 503 }, { endpoint: 'heir' }]);
    open();
    expect((await readAnswer(streaming)).text).toBe(TEXT);
  });
});

describe('a node that dies in the middle of fifty streams', () => {
  it('T12, M6: every stream goes on elsewhere or ends with the typed error, and every request is on the books', async () => {
    const rig = takeRig();
    const STREAMS = 50;
    let answering = 0;
    const node = await link(rig, {
      serve: async (request) => {
        request.head(200, { 'content-type': 'text/event-stream' });
        const opening = event({
          id: 'up',
          choices: [{ index: 0, delta: { role: 'assistant', content: 'It is so,' }, finish_reason: null }],
        });
        for (const piece of randomChunks(opening, request.stream, 9)) await request.data(piece);
        answering += 1;
        if (answering === STREAMS) setTimeout(() => node.close(), 100);
      },
    });
    // Every other one asks for what cannot go on elsewhere.
    const asked = Array.from({ length: STREAMS }, (_, place) =>
      house.chat({ stream: true, ...(place % 2 === 1 && { logprobs: true }), ...along([rig, 'other']) }),
    );
    const answers = await Promise.all(asked.map(async (ask) => readAnswer(await ask)));
    expect(answering).toBe(STREAMS);
    const [resumed, broken] = [answers.filter(({ text }) => text === TEXT), answers.filter(({ text }) => text === 'It is so,')];
    expect([resumed.length, broken.length]).toEqual([STREAMS / 2, STREAMS / 2]);
    expect(broken.map(({ events }) => events.at(-1)?.error).every((error) => error?.code === 502)).toBe(true);
    expect(house.upstream.callsTo('other').every((call) => beginningOf(call) === 'It is so,')).toBe(true);

    const receipts = await Promise.all(answers.map(({ id }) => readReceiptRows(house, id)));
    expect(receipts).toHaveLength(STREAMS);
    expect(receipts.filter(({ state }) => state === 'completed')).toHaveLength(STREAMS / 2);
    expect(receipts.filter(({ state }) => state === 'interrupted')).toHaveLength(STREAMS / 2);
    expect(receipts.every(({ chargedNanoUsd }) => chargedNanoUsd > 0)).toBe(true);
    await expect(
      house.db().then((db) => db.prepare('SELECT count(*) AS n FROM attempts WHERE endpoint_id = ?1').bind(rig).first('n')),
    ).resolves.toBe(STREAMS);
  });
});
