import { describe, expect, it } from 'vitest';
import { enrol, readTaken, type Enrolment } from '#src/nodes/join/enrol-store';
import { newRegistration } from '#src/nodes/register/new-registration';
import { changeRegistration, readDue, readRegistered, type StoredEndpoint } from '#src/nodes/register/registrations-store';
import { begin, move } from '#src/nodes/states';
import { openSqliteD1 } from '#test/support/sqlite-d1';

const NOW_MS = 1_000_000;

/** Somebody has registered the model `a` there. */
function standing(d1: ReturnType<typeof openSqliteD1>, id: string, url: string): void {
  const row = {
    provider_id: 'selfhosted',
    operator_id: 'alice',
    tag: 'selfhosted',
    supply: 'selfhosted',
    model_id: 'test/a',
    upstream_model: 'a',
  };
  const claims = {
    dialect: 'openai-chat',
    quantization: 'fp8',
    kv_cache: 'fp8',
    context: 1,
    capabilities: [],
    jurisdiction: [],
    data_policy: {},
  };
  d1.insert('endpoints', { id, url, ...row, ...claims, verification: 'verified', source: 'registered' });
  const since = { since_ms: 0, next_probe_at_ms: 0, created_at_ms: 0, updated_at_ms: 0 };
  d1.insert('registrations', { endpoint_id: id, operator_id: 'alice', state: 'pending', ...since });
}

function endpoint(id: string): StoredEndpoint {
  return {
    id,
    providerId: 'selfhosted',
    operatorId: 'alice',
    tag: 'selfhosted',
    supply: 'selfhosted',
    ownerTeamId: null,
    modelId: 'test/a',
    upstreamModel: 'a',
    url: `tunnel:${id}`,
    dialect: 'openai-chat',
    keySecret: null,
    engine: 'vllm',
    hardware: { gpu: 'rtx-4090', count: 1 },
    quantization: 'fp8',
    kvCache: 'fp8',
    context: 8192,
    maxOutput: null,
    maxConcurrency: null,
    capabilities: ['tools'],
    jurisdiction: ['DE'],
    dataPolicy: { trains: null, retention_days: null, source: 'operator' },
    verification: 'verified',
    disabled: false,
    source: 'registered',
  };
}

function enrolment(ids: readonly string[], more: Partial<Enrolment> = {}): Enrolment {
  const operatorId = more.operatorId ?? 'alice';
  return {
    operatorId,
    atMs: NOW_MS,
    endpoints: ids.map((id) => ({ ...endpoint(id), operatorId })),
    registrations: ids.map((id) => newRegistration(id, operatorId, { nowMs: NOW_MS, state: 'pending', reason: null })),
    events: ids.map((id) => begin(id, 'pending', { reason: null, actor: 'key-1', atMs: NOW_MS })),
    offers: [],
    held: new Map(),
    keys: [],
    places: [],
    node: null,
    tokenHash: null,
    gone: [],
    audit: {
      id: `audit-${ids.join()}-${operatorId}`,
      atMs: NOW_MS,
      actor: 'key-1',
      action: 'x',
      object: 'y',
      fromVersion: null,
      toVersion: null,
      changes: {},
    },
    ...more,
  };
}

const TABLES = ['endpoints', 'registrations', 'registration_events', 'offers', 'nodes', 'endpoint_keys', 'audit', 'meta', 'join_tokens'];
const dump = (d1: ReturnType<typeof openSqliteD1>) => TABLES.map((table) => d1.rows(`SELECT * FROM ${table}`));
const version = (d1: ReturnType<typeof openSqliteD1>) => d1.rows("SELECT value FROM meta WHERE name = 'catalogue_version'")[0]?.value;

describe('letting supply in', () => {
  it('writes what it was given, JSON and booleans as the catalogue reads them', async () => {
    const d1 = openSqliteD1();
    await enrol(d1.db, enrolment(['one', 'two']));
    expect(await readRegistered(d1.db, 'two')).toMatchObject({ endpoint: endpoint('two'), registration: { state: 'pending', seen: null } });
    expect(d1.rows('SELECT endpoint_id, from_state, to_state FROM registration_events')).toHaveLength(2);
  });

  it('gives the catalogue another version each time, and leaves the manifest’s part of it alone', async () => {
    const d1 = openSqliteD1();
    d1.insert('meta', { name: 'catalogue_version', value: '0123456789abcdef' });
    await enrol(d1.db, enrolment(['one']));
    const first = version(d1);
    await enrol(d1.db, enrolment(['two']));
    expect([first, version(d1)]).toEqual([
      expect.stringMatching(/^0123456789abcdef\+\w{16}$/),
      expect.stringMatching(/^0123456789abcdef\+\w{16}$/),
    ]);
    expect(version(d1)).not.toBe(first);
  });

  it.each<[string, Partial<Enrolment>, (d1: ReturnType<typeof openSqliteD1>) => void]>([
    ['a token that nobody has made', { tokenHash: 'nobody' }, () => undefined],
    [
      'a token that is used',
      { tokenHash: 'used' },
      (d1) =>
        d1.insert('join_tokens', {
          hash: 'used',
          operator_id: 'alice',
          created_by: 'k',
          created_at_ms: 0,
          expires_at_ms: 9e12,
          used_at_ms: 1,
        }),
    ],
    [
      'a token that has expired',
      { tokenHash: 'late' },
      (d1) => d1.insert('join_tokens', { hash: 'late', operator_id: 'alice', created_by: 'k', created_at_ms: 0, expires_at_ms: NOW_MS }),
    ],
    ['a provider’s id', {}, (d1) => d1.insert('providers', { id: 'two', name: 'Two', supply: 'centralized', source: 'catalogue' })],
    [
      'an address that was free a moment ago',
      {
        places: [
          { id: 'two', operatorId: 'alice', url: 'https://gpu.example.com/b', upstreamModel: 'a', pathsDiffer: false, isRegistered: false },
        ],
      },
      (d1) => standing(d1, 'faster', 'https://gpu.example.com/a'),
    ],
    [
      'two hundred endpoints already',
      {},
      (d1) => {
        for (let n = 0; n < 199; n++)
          d1.insert('registrations', {
            endpoint_id: `e${n}`,
            operator_id: 'alice',
            state: 'active',
            since_ms: 0,
            next_probe_at_ms: 0,
            created_at_ms: 0,
            updated_at_ms: 0,
          });
      },
    ],
  ])('half of it is never written: %s', async (_, more, prepare) => {
    const d1 = openSqliteD1();
    prepare(d1);
    const before = dump(d1);
    await expect(enrol(d1.db, enrolment(['one', 'two'], more))).rejects.toThrow();
    expect(dump(d1)).toEqual(before);
  });

  it('an id is its operator’s: not to be taken while in use, by others not even afterwards', async () => {
    const d1 = openSqliteD1();
    await enrol(d1.db, enrolment(['one']));
    expect(await readTaken(d1.db, ['one', 'two'], 'alice', null)).toEqual(['one']);
    expect(await readTaken(d1.db, ['one', 'two'], 'bob', null)).toEqual(['one']);
    d1.exec("UPDATE registrations SET state = 'retired'; UPDATE endpoints SET disabled = 1");
    expect(await readTaken(d1.db, ['one'], 'alice', null)).toEqual([]);
    expect(await readTaken(d1.db, ['one'], 'bob', null)).toEqual(['one']);
    d1.exec("UPDATE endpoints SET source = 'manifest'");
    expect(await readTaken(d1.db, ['one'], 'alice', null)).toEqual(['one']);
  });
});

describe('changing a registration', () => {
  async function open() {
    const d1 = openSqliteD1();
    await enrol(d1.db, enrolment(['one']));
    const found = await readRegistered(d1.db, 'one');
    if (found === null) throw new Error('not there');
    return { d1, before: found.registration };
  }
  const step = { reason: 'why', actor: 'probe', atMs: NOW_MS + 1 };

  it('of two at once one wins, and the other leaves no trace', async () => {
    const { d1, before } = await open();
    const moved = move(before, 'probing', step);
    const change = { before, changes: moved?.changes ?? {}, event: moved?.event ?? null, atMs: NOW_MS };
    const [first, second] = [await changeRegistration(d1.db, change), await changeRegistration(d1.db, change)];
    expect(first).toMatchObject({ state: 'probing', reason: 'why', updatedAtMs: NOW_MS + 1 });
    expect(second).toBeNull();
    expect(d1.rows('SELECT to_state FROM registration_events ORDER BY id')).toEqual([{ to_state: 'pending' }, { to_state: 'probing' }]);
  });

  it('gives the catalogue another version where routing is concerned, and only there', async () => {
    const { d1, before } = await open();
    const seen = [version(d1)];
    const later = await changeRegistration(d1.db, {
      before,
      changes: { nextProbeAtMs: 5, state: 'pending', capacity: null },
      event: null,
      atMs: NOW_MS,
    });
    seen.push(version(d1));
    expect(seen[1]).toBe(seen[0]);
    const capacity = { poolTokens: 10, maxSequences: null };
    await changeRegistration(d1.db, { before: later ?? before, changes: { capacity }, event: null, atMs: NOW_MS });
    expect(version(d1)).not.toBe(seen[0]);
    expect((await readRegistered(d1.db, 'one'))?.registration.capacity).toEqual(capacity);
  });

  it('writes price, key, endpoint, history and trail together', async () => {
    const { d1, before } = await open();
    const offer = {
      endpointId: 'one',
      validFromMs: NOW_MS,
      promptPicoUsdPerToken: 5,
      completionPicoUsdPerToken: 6,
      cacheReadPicoUsdPerToken: null,
      cacheWritePicoUsdPerToken: null,
      requestNanoUsd: 0,
      unitPicoUsd: null,
      source: 'registered',
      modelId: 'qwen/qwen3-8b',
    };
    const key = { endpointId: 'one', origin: 'https://a.example', sealKeyId: 'k', sealed: 's', updatedAtMs: NOW_MS };
    const { audit } = enrolment(['entry']);
    const after = await changeRegistration(d1.db, {
      before,
      changes: {},
      event: null,
      atMs: NOW_MS,
      endpoint: { context: 4096 },
      offer,
      key,
      audit,
    });
    expect(await readRegistered(d1.db, 'one')).toMatchObject({ endpoint: { context: 4096 }, offer });
    expect(d1.rows('SELECT origin FROM endpoint_keys')).toEqual([{ origin: 'https://a.example' }]);
    expect(d1.rows(`SELECT id FROM audit WHERE id = '${audit.id}'`)).toHaveLength(1);
    await changeRegistration(d1.db, { before: after ?? before, changes: {}, event: null, atMs: NOW_MS, key: null });
    expect(d1.rows('SELECT * FROM endpoint_keys')).toEqual([]);
  });

  it('due are those whose time has come and that have not retired', async () => {
    const { d1 } = await open();
    await enrol(d1.db, enrolment(['two']));
    d1.exec("UPDATE registrations SET next_probe_at_ms = 7 WHERE endpoint_id = 'two'");
    expect((await readDue(d1.db, NOW_MS, 10)).map(({ endpoint: { id } }) => id)).toEqual(['two', 'one']);
    expect((await readDue(d1.db, 7, 10)).map(({ endpoint: { id } }) => id)).toEqual(['two']);
    d1.exec("UPDATE registrations SET state = 'retired'");
    expect(await readDue(d1.db, NOW_MS, 10)).toEqual([]);
  });
});
