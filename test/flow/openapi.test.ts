import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { errorBody } from '#schema/error';
import { messagesError } from '#schema/answers/messages';
import { generates, routes } from '#src/api/openapi/description';
import { statusesOf } from '#src/api/openapi/errors';
import { wavOf } from '#test/src/skins/units/wav';
import { described, find, roots, type Described } from '#test/support/described-operations';
import { answer } from '#test/support/openai-scripts';
import { MODEL, openHouse, type House } from '#test/support/house';
import { scriptUnits, UNIT_ENDPOINTS, unitModel } from '#test/support/unit-endpoints';

const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';
const WAV = Buffer.from(wavOf({ seconds: 1 }));

let house: House;
/** What paths and queries name; filled in when the house is open. */
const names: Record<string, string> = { author: MODEL.split('/')[0] ?? '', slug: MODEL.split('/')[1] ?? '', name: 'balanced' };

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'rig', capabilities: ['completion', 'tools', 'json_schema'] }, ...UNIT_ENDPOINTS],
    manifest: {
      management_keys: [{ name: 'admin', value: MANAGEMENT_KEY }],
      policies: { balanced: {} },
      // Nobody listens there.
      price_feeds: [{ id: 'acme', url: 'http://127.0.0.1:9/v1/models', format: 'openrouter' }],
    },
  });
  house.upstream.script('rig', answer({ reasoning: 'Let me think.' }));
  scriptUnits(house.upstream);
  names['id'] = (await house.chat()).headers.get('x-generation-id') ?? '';
  names['hash'] = await makeKey();
  names['provider key'] = await makeProviderKey();
  await makeSupply();
  await holdPrice();
});
afterAll(() => house.stop());

async function makeKey(): Promise<string> {
  const { data } = (await (await call(find('createKey'))).json()) as { data: { hash: string } };
  return data.hash;
}

async function makeProviderKey(): Promise<string> {
  const operation = find('createProviderKey');
  const { data } = (await (await call(operation, { body: { ...bodyOf(operation), provider: 'together' } })).json()) as {
    data: { id: string };
  };
  return data.id;
}

/** A price of a catalogue endpoint waits for the decision of the example. */
async function holdPrice(): Promise<void> {
  const { seen_at: seenAt } = find('decidePrice').description.example ?? {};
  const terms = { promptPicoUsdPerToken: 1, completionPicoUsdPerToken: 1, requestNanoUsd: 0 };
  const db = await house.db();
  names['priced'] = String(await db.prepare("SELECT id FROM endpoints WHERE source = 'catalogue' ORDER BY id").first('id'));
  await db
    .prepare("INSERT INTO held_prices (endpoint_id, feed_id, seen_at_ms, terms, reason) VALUES (?1, 'acme', ?2, ?3, 'it fell')")
    .bind(names['priced'], Date.parse(String(seenAt)), JSON.stringify(terms))
    .run();
}

/** An operator with an endpoint and a node; they are made anew once an operation has taken them away. */
async function makeSupply(): Promise<void> {
  await call(find('createOperator'), { body: { id: 'bob' } });
  names['endpoint'] = `endpoint-${crypto.randomUUID()}`;
  names['node'] = `node-${crypto.randomUUID()}`;
  names['operator'] = `operator-${crypto.randomUUID()}`;
  await call(find('createOperator'), { body: { id: names['operator'] } });
  const { data: keys } = (await (await call(find('listOperatorKeys'))).json()) as { data: { hash: string }[] };
  names['operator key'] = keys[0]?.hash ?? '';
  const endpoint = find('registerEndpoint');
  // The description's own example stands at the address of `rig`, and an address is one endpoint.
  const url = house.upstream.url('rig').replace('/rig/', `/rig/${names['endpoint']}/`);
  await call(endpoint, { body: { ...bodyOf(endpoint), id: names['endpoint'], url } });
  const node = find('joinNode');
  await call(node, { key: await makeToken(), body: { ...bodyOf(node), node: names['node'] } });
}

/** An endpoint that has just been probed is not probed again at once: waits for its first probe, and makes it long ago. */
async function forgetProbes(): Promise<void> {
  const db = await house.db();
  const probedAtMs = () =>
    db.prepare('SELECT probed_at_ms AS at FROM registrations WHERE endpoint_id = ?1').bind(names['endpoint']).first('at');
  await expect.poll(probedAtMs, { timeout: 10_000 }).not.toBeNull();
  await db.prepare('UPDATE registrations SET probed_at_ms = 1').run();
}

async function makeToken(): Promise<string> {
  const operation = find('createJoinToken');
  const { token } = (await (await call(operation, { body: bodyOf(operation) })).json()) as { token: string };
  return token;
}

const MODELS: Readonly<Record<string, string>> = {
  createEmbeddings: unitModel('embedder'),
  rerank: unitModel('reranker'),
  generateImages: unitModel('painter'),
  createImages: unitModel('painter'),
  createSpeech: unitModel('speaker'),
  createTranscription: unitModel('listener'),
};

/** The example of the description, for a model of this house. */
function bodyOf({ name, description: { body, example } }: Described): Record<string, unknown> | undefined {
  if (body === undefined) return undefined;
  if (name === 'createTranscription') return { model: MODELS[name], input_audio: { data: WAV.toString('base64'), format: 'wav' } };
  // What the example names is in no house; what this one has stands in for it.
  const own = { model: MODELS[name] ?? MODEL, team: 'testers', provider: 'groq', operator: 'bob', url: house.upstream.url('rig') };
  const isNamed = ([field]: [string, unknown]) => typeof example?.[field] === 'string';
  return { ...example, ...Object.fromEntries(Object.entries(own).filter(isNamed)) };
}

/** What `{id}` in a path means, where it is not a generation. */
function idOf(operation: string): string {
  if (operation === 'getTeam') return 'testers';
  if (operation === 'readPriceFeed') return 'acme';
  const [, supply] = /(Operator|Endpoint|Node)(Keys?)?$/.exec(operation) ?? [];
  if (supply !== undefined) return names[supply.toLowerCase()] ?? '';
  return names[operation.endsWith('ProviderKey') ? 'provider key' : 'id'] ?? '';
}

/** What the other part of a path means, where it is not what its name says. */
const STANDS_FOR: Readonly<Record<string, string>> = { decidePrice: 'priced', revokeOperatorKey: 'operator key' };

function urlOf({ name: operation, path, description: { query, example } }: Described): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(name === 'id' ? idOf(operation) : (names[STANDS_FOR[operation] ?? name] ?? '')),
  );
  const search =
    query && example
      ? new URLSearchParams({ ...(example as Record<string, string>), ...('id' in example && { id: names['id'] ?? '' }) })
      : '';
  return `${house.url}${filled}?${search.toString()}`;
}

function keyOf({ description: { key } }: Described): string | null {
  if (key === 'none' || key === 'optional') return null;
  return key === 'management' || key === 'operator' ? MANAGEMENT_KEY : house.key;
}

interface Changes {
  key?: string | null;
  body?: unknown;
  method?: string;
  url?: string;
}

/** Calls an operation as it is described, but for the changes. */
function call(operation: Described, { key = keyOf(operation), body = bodyOf(operation), method, url }: Changes = {}): Promise<Response> {
  const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return fetch(url ?? urlOf(operation), {
    method: method ?? operation.method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(payload !== undefined && { 'content-type': 'application/json' }),
    },
    ...(payload !== undefined && { body: payload }),
  });
}

/** Expects a failure of this status, which the description announces, in the surface's own shape. */
async function expectFailure(operation: Described, changes: Changes, status: number): Promise<void> {
  const { description, path } = operation;
  const response = await call(operation, changes);
  const text = await response.text();
  expect([response.status, text.slice(0, 300)], operation.name).toEqual([status, expect.anything()]);
  expect(statusesOf(description, path.includes('{')), operation.name).toContain(status);
  const contract = description.errors === 'messages' ? messagesError : errorBody;
  expect(contract.safeParse(JSON.parse(text)), operation.name).toMatchObject({ success: true });
}

function eventsOf(text: string): unknown[] {
  return [...text.matchAll(/^data: (.+)$/gm)].flatMap(([, data = '']) => (data === '[DONE]' ? [] : [JSON.parse(data) as unknown]));
}

/** Parses what a contract should accept; the problems of what it does not, by path. */
function problemsOf(contract: z.ZodType, value: unknown): string[] {
  const issues = contract.safeParse(value).error?.issues ?? [];
  return issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

/** After these the key has another hash, or is gone. */
const CONSUMES_KEY = new Set(['deleteKey', 'rotateKey']);
/** And after these what operators have brought. */
const CONSUMES_SUPPLY = new Set(['deleteOperator', 'retireEndpoint', 'leaveNode', 'createOperatorKey', 'revokeOperatorKey']);

/** Bodies that are wrong where an empty one is right: what may be changed is named by nobody. */
const WRONG_BODIES: Readonly<Record<string, object>> = {
  updateKey: { name: 7 },
  updateProviderKey: { name: 7 },
  rotateKey: { overlap_s: -1 },
  updateEndpoint: { context: 'long' },
  createJoinToken: { expires_s: 1 },
  drainNode: { on: 'perhaps' },
};

describe('every operation', () => {
  it.each([...described, ...roots].filter(({ description }) => !description.upgrades))(
    '$name answers as it is described',
    async (operation) => {
      if (CONSUMES_KEY.has(operation.name)) names['hash'] = await makeKey();
      if (operation.name === 'probeEndpoint') await forgetProbes();
      const { answer: contract, creates, key } = operation.description;
      const response = await call(operation, key === 'join token' ? { key: await makeToken() } : {});
      expect(response.status).toBe(creates ? 201 : 200);
      const type = response.headers.get('content-type') ?? '';
      if (typeof contract === 'string')
        return expect(type).toMatch(new RegExp(`^${contract.replaceAll('+', String.raw`\+`).replace('*', '.+')}`));
      expect(type).toMatch(/^application\/json/);
      expect(problemsOf(contract, await response.json())).toEqual([]);
      if (CONSUMES_KEY.has(operation.name)) names['hash'] = await makeKey();
      if (operation.name === 'deleteProviderKey') names['provider key'] = await makeProviderKey();
      if (CONSUMES_SUPPLY.has(operation.name)) await makeSupply();
    },
  );

  it.each(described.filter(({ description }) => description.events))('$name streams the events that are described', async (operation) => {
    const response = await call(operation, { body: { ...bodyOf(operation), stream: true } });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = eventsOf(await response.text());
    expect(events.length).toBeGreaterThan(3);
    for (const event of events) expect(problemsOf(operation.description.events as z.ZodType, event)).toEqual([]);
  });

  it.each(described.filter(({ description }) => generates(description)))('$name says in headers who served', async (operation) => {
    const { headers } = await call(operation);
    expect(headers.get('x-generation-id')).toMatch(/^gen-/);
    expect(headers.get('x-headrace-supply')).toMatch(/^(subnet|selfhosted|centralized)$/);
  });
});

describe('every form', () => {
  it.each(described.filter(({ description }) => description.form))('$name takes its body as a form, too', async (operation) => {
    const form = new FormData();
    form.set('model', MODELS[operation.name] ?? MODEL);
    form.set('file', new File([WAV], 'silence.wav', { type: 'audio/wav' }));
    const response = await fetch(urlOf(operation), { method: 'POST', headers: { authorization: `Bearer ${house.key}` }, body: form });
    expect(response.status).toBe(200);
    expect(problemsOf(operation.description.answer as z.ZodType, await response.json())).toEqual([]);
  });
});

describe('bad input', () => {
  it.each(described.filter(({ description }) => description.body))('$name refuses a body that its contract refuses', async (operation) => {
    const changes = operation.description.key === 'join token' ? { key: await makeToken() } : {};
    await expectFailure(operation, { ...changes, body: WRONG_BODIES[operation.name] ?? {} }, 400);
    await expectFailure(operation, { ...changes, body: [] }, 400);
    await expectFailure(operation, { ...changes, body: '{"model":' }, 400);
  });

  it.each(described.filter(({ description }) => description.key !== 'none'))('$name refuses a key that nobody has', async (operation) => {
    await expectFailure(operation, { key: 'sk-hr-nobody-has-this-key-0000000' }, 401);
  });

  it.each(described.filter(({ description }) => !['none', 'optional'].includes(description.key)))(
    '$name asks for a key',
    async (operation) => {
      await expectFailure(operation, { key: null }, 401);
    },
  );

  it.each(described.filter(({ description }) => ['management', 'operator'].includes(description.key)))(
    '$name refuses an inference key',
    async (operation) => {
      await expectFailure(operation, { key: house.key }, 403);
    },
  );

  it.each(described.filter(({ description }) => description.key === 'inference'))('$name refuses a management key', async (operation) => {
    await expectFailure(operation, { key: MANAGEMENT_KEY }, 403);
  });

  it.each(described.filter(({ path, description }) => path.includes('{') && !description.upgrades))(
    '$name knows what does not exist',
    async (operation) => {
      const url = `${house.url}${operation.path.replace('{author}/{slug}', 'no/such').replace('{hash}', '0'.repeat(64)).replace('{id}', 'no-such')}`;
      await expectFailure(operation, { url }, 404);
    },
  );

  it.each(described.filter(({ description }) => routes(description)))('$name knows which models exist', async (operation) => {
    await expectFailure(operation, { body: { ...bodyOf(operation), model: 'no/such-model' } }, 404);
  });

  it.each(described.filter(({ description }) => description.query))(
    '$name refuses a query that its contract refuses',
    async (operation) => {
      const { shape } = operation.description.query as z.ZodObject;
      const wrong =
        [
          'offset=minus',
          'date=someday',
          'since=someday',
          'version=minus',
          'generation=',
          'id=',
          'state=asleep',
          'accept_shorter=perhaps',
          'limit=minus',
        ].find((query) => (query.split('=')[0] ?? '') in shape) ?? '';
      await expectFailure(operation, { url: `${house.url}${operation.path}?${wrong}` }, 400);
    },
  );
});
