import { describe, expect, it } from 'vitest';
import type { CatalogSnapshot } from '#schema/catalog';
import { endpointKeyName } from '#schema/registration';
import { createEndpointKeys, endpointScope, withOpenKeys } from '#src/byok/endpoint-keys';
import { createSealer, SEAL_SECRET } from '#src/byok/seal';
import type { StoredEndpointKey } from '#src/byok/store';

const SECRETS: Readonly<Record<string, string>> = { [SEAL_SECRET]: '11'.repeat(32), GROQ_API_KEY: 'house' };
const ORIGIN = 'https://gpu.example.com';
const NAME = endpointKeyName('rig', ORIGIN);
const sealer = createSealer((name) => SECRETS[name]);

async function row(endpointId: string, key: string, origin = ORIGIN): Promise<StoredEndpointKey> {
  return { endpointId, origin, updatedAtMs: 0, ...(await sealer.seal(endpointScope({ endpointId, origin }), key)) };
}

/** A snapshot whose offers take these keys. */
function snapshotOf(...names: (string | null)[]): CatalogSnapshot {
  const offers = names.map((keySecret) => ({ keySecret }));
  return { models: new Map([['m', { offers }]]) } as unknown as CatalogSnapshot;
}

function setUp(rows: StoredEndpointKey[]) {
  const clock = { nowMs: 1_000_000 };
  const logged: Record<string, unknown>[] = [];
  const kept: Promise<unknown>[] = [];
  let reads = 0;
  let fails = false;
  const keys = createEndpointKeys({
    sealer,
    secret: (name) => SECRETS[name],
    now: () => clock.nowMs,
    log: (event) => void logged.push(event),
    read: async (endpointId) => {
      reads++;
      if (fails) throw new Error('down');
      return rows.filter((one) => endpointId === undefined || one.endpointId === endpointId);
    },
    reseal: async () => undefined,
  });
  return {
    keys,
    rows,
    clock,
    logged,
    reads: () => reads,
    fail: (is: boolean) => void (fails = is),
    open: (snapshot: CatalogSnapshot) => keys.open(snapshot, (work) => void kept.push(work)),
    kept: () => Promise.all(kept),
  };
}

describe('keys of registered endpoints', () => {
  it('are secrets by their name once a snapshot names them; the deployment’s own stay what they are', async () => {
    const { keys, open } = setUp([await row('rig', 'rig-key')]);
    expect([keys.secret(NAME), keys.secret('GROQ_API_KEY')]).toEqual([undefined, 'house']);
    await open(snapshotOf(NAME));
    expect([keys.secret(NAME), keys.secret('GROQ_API_KEY')]).toEqual(['rig-key', 'house']);
  });

  it('cost nothing where no endpoint has one, and one reading for each snapshot', async () => {
    const { open, reads } = setUp([await row('rig', 'rig-key')]);
    expect([open(snapshotOf(null, 'GROQ_API_KEY')), reads()]).toEqual([undefined, 0]);
    const snapshot = snapshotOf(NAME);
    await open(snapshot);
    expect([open(snapshot), reads()]).toEqual([undefined, 1]);
  });

  it('K1: have another name at another origin, under which there is none', async () => {
    const { keys, open } = setUp([await row('rig', 'rig-key')]);
    const elsewhere = endpointKeyName('rig', 'https://gpu.example.com:8443');
    await open(snapshotOf(NAME, elsewhere, endpointKeyName('rig-2', ORIGIN)));
    expect([keys.secret(NAME), keys.secret(elsewhere), keys.secret(endpointKeyName('rig-2', ORIGIN))]).toEqual([
      'rig-key',
      undefined,
      undefined,
    ]);
  });

  it('K1, K15: do not open for another endpoint or origin whose row was given their seal', async () => {
    const stolen = await row('rig', 'rig-key');
    const { keys, open, logged } = setUp([
      { ...stolen, endpointId: 'thief' },
      { ...stolen, origin: 'https://evil.example' },
    ]);
    const names = [endpointKeyName('thief', ORIGIN), endpointKeyName('rig', 'https://evil.example')];
    await open(snapshotOf(...names));
    expect(names.map((name) => keys.secret(name))).toEqual([undefined, undefined]);
    expect(logged.map(({ event }) => event)).toEqual(['endpoint_key_unusable', 'endpoint_key_unusable']);
  });

  it('are replaced behind the requests’ backs, and dropped with their endpoints', async () => {
    const { keys, open, rows, kept } = setUp([await row('rig', 'old')]);
    await open(snapshotOf(NAME));
    rows[0] = await row('rig', 'new');
    expect(open(snapshotOf(NAME))).toBeUndefined();
    await kept();
    expect(keys.secret(NAME)).toBe('new');
    expect(open(snapshotOf(null))).toBeUndefined();
    expect(keys.secret(NAME)).toBeUndefined();
  });

  it('that cannot be read keep nobody waiting twice, and are read again', async () => {
    const { keys, open, fail, reads, clock, logged } = setUp([await row('rig', 'rig-key')]);
    fail(true);
    const snapshot = snapshotOf(NAME);
    await open(snapshot);
    expect([open(snapshot), reads(), keys.secret(NAME)]).toEqual([undefined, 1, undefined]);
    expect(logged).toEqual([{ event: 'endpoint_keys_unreadable', cause: 'Error' }]);
    fail(false);
    clock.nowMs += 5_000;
    await open(snapshot);
    expect(keys.secret(NAME)).toBe('rig-key');
  });

  it('are found for a probe before the catalogue names them, for their own origin only', async () => {
    const { keys } = setUp([await row('rig', 'rig-key')]);
    expect(await keys.find('rig', `${ORIGIN}/v1`)).toBe('rig-key');
    expect(await keys.find('rig', 'https://evil.example/v1')).toBeNull();
    expect(await keys.find('rig', `${ORIGIN}@evil.example/v1`)).toBeNull();
    expect(await keys.find('rig-2', `${ORIGIN}/v1`)).toBeNull();
  });

  it('come with the snapshots of a catalogue, at once where there is nothing to open', async () => {
    const { keys } = setUp([await row('rig', 'rig-key')]);
    const [bare, keyed] = [snapshotOf(null), snapshotOf(NAME)];
    let given: CatalogSnapshot = bare;
    const catalog = withOpenKeys({ snapshot: (_keep: unknown) => given, newest: async (_keep: unknown) => given }, keys);
    expect(catalog.snapshot(() => undefined)).toBe(bare);
    given = keyed;
    expect(await catalog.newest(() => undefined)).toBe(keyed);
    expect(keys.secret(NAME)).toBe('rig-key');
    expect(catalog.snapshot(() => undefined)).toBe(keyed);
  });
});
