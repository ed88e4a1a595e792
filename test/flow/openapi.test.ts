import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { errorBody } from '#schema/error';
import { messagesError } from '#schema/answers/messages';
import { DESCRIPTIONS, ROOT_DESCRIPTIONS } from '#src/api/openapi/descriptions';
import { generates, routes, type Description } from '#src/api/openapi/description';
import { statusesOf } from '#src/api/openapi/errors';
import { toTemplate } from '#src/api/openapi/operation';
import { answer } from '#test/support/openai-scripts';
import { MODEL, openHouse, type House } from '#test/support/house';
import { scriptUnits, UNIT_ENDPOINTS, unitModel } from '#test/support/unit-endpoints';

const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';
/** One second of silence at 8 kHz, one byte a sample. */
const WAV = Buffer.concat([
  Buffer.from('RIFF'),
  Buffer.from(Uint32Array.of(36 + 8000).buffer),
  Buffer.from('WAVEfmt '),
  Buffer.from(Uint32Array.of(16).buffer),
  Buffer.from(Uint16Array.of(1, 1).buffer),
  Buffer.from(Uint32Array.of(8000, 8000).buffer),
  Buffer.from(Uint16Array.of(1, 8).buffer),
  Buffer.from('data'),
  Buffer.from(Uint32Array.of(8000).buffer),
  Buffer.alloc(8000, 128),
]);

interface Described {
  name: string;
  method: string;
  path: string;
  description: Description;
}

const described = listDescribed(DESCRIPTIONS, '/api/v1');
const roots = listDescribed(ROOT_DESCRIPTIONS, '');

function listDescribed(table: Readonly<Record<string, readonly Description[]>>, base: string): Described[] {
  return Object.entries(table).flatMap(([surface, list]) => {
    const [method = '', pattern = ''] = surface.split(' ');
    return list.map((description) => ({
      name: description.id,
      method,
      path: base + (description.path ?? toTemplate(pattern)),
      description,
    }));
  });
}

let house: House;
/** What paths and queries name; filled in when the house is open. */
const names: Record<string, string> = { author: MODEL.split('/')[0] ?? '', slug: MODEL.split('/')[1] ?? '', name: 'balanced' };

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'rig', capabilities: ['completion', 'tools', 'json_schema'] }, ...UNIT_ENDPOINTS],
    manifest: { management_keys: [{ name: 'admin', value: MANAGEMENT_KEY }], policies: { balanced: {} } },
  });
  house.upstream.script('rig', answer({ reasoning: 'Let me think.' }));
  scriptUnits(house.upstream);
  names['id'] = (await house.chat()).headers.get('x-generation-id') ?? '';
  names['hash'] = await makeKey();
  names['provider key'] = await makeProviderKey();
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

function find(id: string): Described {
  const found = described.find(({ name }) => name === id);
  if (!found) throw new Error(`nothing is called ${id}`);
  return found;
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
  const own = { model: MODELS[name] ?? MODEL, team: 'testers', provider: 'groq' };
  const isNamed = ([field]: [string, unknown]) => typeof example?.[field] === 'string';
  return { ...example, ...Object.fromEntries(Object.entries(own).filter(isNamed)) };
}

/** What `{id}` in a path means, where it is not a generation. */
function idOf(operation: string): string {
  if (operation === 'getTeam') return 'testers';
  return names[operation.endsWith('ProviderKey') ? 'provider key' : 'id'] ?? '';
}

function urlOf({ name: operation, path, description: { query, example } }: Described): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(name === 'id' ? idOf(operation) : (names[name] ?? '')),
  );
  const search =
    query && example
      ? new URLSearchParams({ ...(example as Record<string, string>), ...('id' in example && { id: names['id'] ?? '' }) })
      : '';
  return `${house.url}${filled}?${search.toString()}`;
}

function keyOf({ description: { key } }: Described): string | null {
  return key === 'none' || key === 'optional' ? null : key === 'management' ? MANAGEMENT_KEY : house.key;
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

/** Bodies that are wrong where an empty one is right: what may be changed is named by nobody. */
const WRONG_BODIES: Readonly<Record<string, object>> = {
  updateKey: { name: 7 },
  updateProviderKey: { name: 7 },
  rotateKey: { overlap_s: -1 },
};

describe('every operation', () => {
  it.each([...described, ...roots])('$name answers as it is described', async (operation) => {
    if (CONSUMES_KEY.has(operation.name)) names['hash'] = await makeKey();
    const response = await call(operation);
    const { answer: contract, creates } = operation.description;
    expect(response.status).toBe(creates ? 201 : 200);
    const type = response.headers.get('content-type') ?? '';
    if (typeof contract === 'string')
      return expect(type).toMatch(new RegExp(`^${contract.replaceAll('+', String.raw`\+`).replace('*', '.+')}`));
    expect(type).toMatch(/^application\/json/);
    expect(problemsOf(contract, await response.json())).toEqual([]);
    if (CONSUMES_KEY.has(operation.name)) names['hash'] = await makeKey();
    if (operation.name === 'deleteProviderKey') names['provider key'] = await makeProviderKey();
  });

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
    await expectFailure(operation, { body: WRONG_BODIES[operation.name] ?? {} }, 400);
    await expectFailure(operation, { body: [] }, 400);
    await expectFailure(operation, { body: '{"model":' }, 400);
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

  it.each(described.filter(({ description }) => description.key === 'management'))('$name refuses an inference key', async (operation) => {
    await expectFailure(operation, { key: house.key }, 403);
  });

  it.each(described.filter(({ description }) => description.key === 'inference'))('$name refuses a management key', async (operation) => {
    await expectFailure(operation, { key: MANAGEMENT_KEY }, 403);
  });

  it.each(described.filter(({ path }) => path.includes('{')))('$name knows what does not exist', async (operation) => {
    const url = `${house.url}${operation.path.replace('{author}/{slug}', 'no/such').replace('{hash}', '0'.repeat(64)).replace('{id}', 'no-such')}`;
    await expectFailure(operation, { url }, 404);
  });

  it.each(described.filter(({ description }) => routes(description)))('$name knows which models exist', async (operation) => {
    await expectFailure(operation, { body: { ...bodyOf(operation), model: 'no/such-model' } }, 404);
  });

  it.each(described.filter(({ description }) => description.query))(
    '$name refuses a query that its contract refuses',
    async (operation) => {
      const { shape } = operation.description.query as z.ZodObject;
      const wrong =
        ['offset=minus', 'date=someday', 'since=someday', 'version=minus', 'generation=', 'id='].find(
          (query) => (query.split('=')[0] ?? '') in shape,
        ) ?? '';
      await expectFailure(operation, { url: `${house.url}${operation.path}?${wrong}` }, 400);
    },
  );
});
