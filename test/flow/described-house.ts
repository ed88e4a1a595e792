/** A whole Worker that has what the examples of the API's description name, so that every operation can be called as it is described. */
import { expect } from 'vitest';
import { wavOf } from '#test/src/skins/units/wav';
import { find, type Described } from '#test/support/described-operations';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { scriptUnits, UNIT_ENDPOINTS, unitModel } from '#test/support/unit-endpoints';

export const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';
/** A second of silence. */
export const WAV = Buffer.from(wavOf({ seconds: 1 }));

/** What a call changes of its description. */
export interface Changes {
  key?: string | null;
  body?: unknown;
  method?: string;
  url?: string;
}

export interface DescribedHouse {
  house: House;
  /** The example of the description, for a model of this house. */
  bodyOf(operation: Described): Record<string, unknown> | undefined;
  urlOf(operation: Described): string;
  /** Calls an operation as it is described, but for the changes. */
  call(operation: Described, changes?: Changes): Promise<Response>;
  /** Makes a token with which one node may join. */
  makeToken(): Promise<string>;
  /** Makes what an operation can be called for only once. */
  prepare(operation: Described): Promise<void>;
  /** Makes anew what a call has taken away. */
  restore(operation: Described): Promise<void>;
}

const MODELS: Readonly<Record<string, string>> = {
  createEmbeddings: unitModel('embedder'),
  rerank: unitModel('reranker'),
  generateImages: unitModel('painter'),
  createImages: unitModel('painter'),
  createSpeech: unitModel('speaker'),
  createTranscription: unitModel('listener'),
};

/** What the other part of a path means, where it is not what its name says. */
const STANDS_FOR: Readonly<Record<string, string>> = { decidePrice: 'priced', revokeOperatorKey: 'operator key' };

/** After these the key has another hash, or is gone. */
const CONSUMES_KEY = new Set(['deleteKey', 'rotateKey']);
/** And after these what operators have brought. */
const CONSUMES_SUPPLY = new Set(['deleteOperator', 'retireEndpoint', 'leaveNode', 'createOperatorKey', 'revokeOperatorKey']);

/** The model of this house for which an operation is called. */
export function modelOf({ name }: Described): string {
  return MODELS[name] ?? MODEL;
}

/** Opens the house and makes everything that paths and bodies name. */
export async function openDescribedHouse(): Promise<DescribedHouse> {
  const house = await openHouse({
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
  const [author = '', slug = ''] = MODEL.split('/');
  /** What paths and queries name. */
  const names: Record<string, string> = { author, slug, name: 'balanced' };

  async function makeKey(): Promise<void> {
    const { data } = (await (await call(find('createKey'))).json()) as { data: { hash: string } };
    names['hash'] = data.hash;
  }

  async function makeProviderKey(): Promise<void> {
    const operation = find('createProviderKey');
    const response = await call(operation, { body: { ...bodyOf(operation), provider: 'together' } });
    const { data } = (await response.json()) as { data: { id: string } };
    names['provider key'] = data.id;
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

  /** An operator with a key, an endpoint and a node. */
  async function makeSupply(): Promise<void> {
    await call(find('createOperator'), { body: { id: 'bob' } });
    for (const kind of ['endpoint', 'node', 'operator']) names[kind] = `${kind}-${crypto.randomUUID()}`;
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
    await expect.poll(probedAtMs).not.toBeNull();
    await db.prepare('UPDATE registrations SET probed_at_ms = 1').run();
  }

  async function makeToken(): Promise<string> {
    const operation = find('createJoinToken');
    const { token } = (await (await call(operation, { body: bodyOf(operation) })).json()) as { token: string };
    return token;
  }

  function bodyOf(operation: Described): Record<string, unknown> | undefined {
    const { body, example } = operation.description;
    if (body === undefined) return undefined;
    const model = modelOf(operation);
    if (operation.name === 'createTranscription') return { model, input_audio: { data: WAV.toString('base64'), format: 'wav' } };
    // What the example names is in no house; what this one has stands in for it.
    const own = { model, team: 'testers', provider: 'groq', operator: 'bob', url: house.upstream.url('rig') };
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

  names['id'] = (await house.chat()).headers.get('x-generation-id') ?? '';
  await makeKey();
  await makeProviderKey();
  await makeSupply();
  await holdPrice();

  return {
    house,
    bodyOf,
    urlOf,
    call,
    makeToken,
    async prepare({ name }) {
      if (name === 'probeEndpoint') await forgetProbes();
    },
    async restore({ name }) {
      if (CONSUMES_KEY.has(name)) await makeKey();
      if (name === 'deleteProviderKey') await makeProviderKey();
      if (CONSUMES_SUPPLY.has(name)) await makeSupply();
    },
  };
}
