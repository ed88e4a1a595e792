import { describe, expect, it } from 'vitest';
import type { OwnKeyOf, SealedKey } from '#schema/byok';
import { createOwnKeys } from '#src/byok/own-keys';
import { createSealer, PREVIOUS_SEAL_SECRET, SEAL_SECRET, type Sealer } from '#src/byok/seal';

const KEY = 'sk-vendor-canary-5512-0123456789';
const ORIGIN = 'https://api.acme.example';
const AT_ACME = { providerId: 'acme', url: `${ORIGIN}/v1` };
const SECRETS = { [SEAL_SECRET]: '11'.repeat(32) };

interface SetUp {
  secrets?: Readonly<Record<string, string>>;
}

function setUp({ secrets = SECRETS }: SetUp = {}) {
  const clock = { nowMs: 1_000_000 };
  const logged: Record<string, unknown>[] = [];
  const resealed: { id: string; sealKeyId: string }[] = [];
  const kept: Promise<unknown>[] = [];
  const sealer = createSealer((name) => secrets[name]);
  let opened = 0;
  const counting: Sealer = {
    seal: sealer.seal,
    open: (scope, seal) => {
      opened++;
      return sealer.open(scope, seal);
    },
  };
  const ownKeys = createOwnKeys({
    sealer: counting,
    now: () => clock.nowMs,
    log: (event) => void logged.push(event),
    reseal: async ({ id }, { sealKeyId }) => void resealed.push({ id, sealKeyId }),
  });
  return {
    clock,
    logged,
    resealed,
    opened: () => opened,
    kept: () => Promise.all(kept),
    of: (id: string, providerKeys?: readonly SealedKey[]) =>
      ownKeys.of({ id, ...(providerKeys && { providerKeys }) }, (work) => void kept.push(work)),
  };
}

async function sealedKey(over: Partial<SealedKey> = {}, by: Readonly<Record<string, string>> = SECRETS, teamId = 'a'): Promise<SealedKey> {
  const key = { id: 'byok-1', provider: 'acme', origin: ORIGIN, ...over };
  const seal = await createSealer((name) => by[name]).seal({ teamId, providerId: key.provider, origin: key.origin }, KEY);
  return { ...key, ...seal, ...over };
}

const find = async (ownKeyOf: OwnKeyOf | undefined | Promise<OwnKeyOf>, place = AT_ACME) => (await ownKeyOf)?.(place);

describe('keys of a team', () => {
  it('are found at their provider', async () => {
    const { of } = setUp();
    expect(await find(of('a', [await sealedKey()]))).toMatchObject({ credential: expect.stringMatching(/^byok:byok-1:/), key: KEY });
  });

  it('cost nothing where there are none', () => {
    const { of, opened } = setUp();
    expect([of('a'), of('a', []), opened()]).toEqual([undefined, undefined, 0]);
  });

  it.each([
    ['another provider at the same address', { providerId: 'other', url: `${ORIGIN}/v1` }],
    ['a longer host', { providerId: 'acme', url: `${ORIGIN}.evil.example/v1` }],
    ['another port', { providerId: 'acme', url: `${ORIGIN}:8443/v1` }],
    ['a user part', { providerId: 'acme', url: `${ORIGIN}@evil.example/v1` }],
    ['plain http', { providerId: 'acme', url: ORIGIN.replace('https', 'http') }],
    ['another subdomain', { providerId: 'acme', url: 'https://acme.example/v1' }],
    ['another spelling', { providerId: 'acme', url: 'https://API.acme.example/v1' }],
  ])('K1: are not for %s', async (_, place) => {
    const { of } = setUp();
    expect(await find(of('a', [await sealedKey()]), place)).toBeUndefined();
  });

  it('are for the bare origin, too', async () => {
    const { of } = setUp();
    expect(await find(of('a', [await sealedKey()]), { providerId: 'acme', url: ORIGIN })).toMatchObject({ key: KEY });
  });

  it('are opened once a minute, and then at once', async () => {
    const { of, opened, clock } = setUp();
    const keys = [await sealedKey()];
    await of('a', keys);
    clock.nowMs += 59_999;
    const again = of('a', structuredClone(keys));
    expect(again).toBeTypeOf('function');
    expect(opened()).toBe(1);
    clock.nowMs += 1;
    await of('a', keys);
    expect(opened()).toBe(2);
  });

  it('are opened anew when the clock has gone back', async () => {
    const { of, opened, clock } = setUp();
    const keys = [await sealedKey()];
    await of('a', keys);
    clock.nowMs -= 1;
    await of('a', keys);
    expect(opened()).toBe(2);
  });

  it('K15: do not open for another team, whose row was copied or who shares the cache', async () => {
    const { of, logged } = setUp();
    const keys = [await sealedKey()];
    await of('a', keys);
    expect(await find(of('b', keys))).toMatchObject({ key: null });
    expect(logged).toEqual([{ event: 'provider_key_unusable', providerKey: 'byok-1', reason: 'broken_seal' }]);
  });

  it('that cannot be opened stand in the way of any other, and are complained of once a minute', async () => {
    const { of, logged, clock } = setUp({ secrets: {} });
    const keys = [await sealedKey()];
    for (let request = 0; request < 5; request++) expect(await find(of('a', keys))).toMatchObject({ key: null });
    expect(logged).toEqual([{ event: 'provider_key_unusable', providerKey: 'byok-1', reason: 'unknown_secret' }]);
    clock.nowMs += 60_000;
    await of('a', keys);
    expect(logged).toHaveLength(2);
  });

  it('have another name for health once they were replaced', async () => {
    const { of } = setUp();
    const [before, after] = [await find(of('a', [await sealedKey()])), await find(of('a', [await sealedKey()]))];
    expect(before?.credential).not.toBe(after?.credential);
  });

  it('K14: of the previous secret are sealed anew behind the request', async () => {
    const old = await sealedKey();
    const rotated = { [SEAL_SECRET]: '22'.repeat(32), [PREVIOUS_SEAL_SECRET]: '11'.repeat(32) };
    const { of, resealed, kept } = setUp({ secrets: rotated });
    expect(await find(of('a', [old]))).toMatchObject({ key: KEY });
    await kept();
    expect(resealed).toEqual([{ id: 'byok-1', sealKeyId: (await sealedKey({}, rotated)).sealKeyId }]);
    expect(resealed[0]?.sealKeyId).not.toBe(old.sealKeyId);
  });

  it('I12: of a thousand teams at most are open at once', async () => {
    const { of, opened } = setUp({ secrets: {} });
    const key: SealedKey = { id: 'byok-1', provider: 'acme', origin: ORIGIN, sealKeyId: 'x', sealed: 'AAAA' };
    for (let team = 0; team <= 1_000; team++) await of(`team-${team}`, [key]);
    expect(opened()).toBe(1_001);
    await of('team-1000', [key]);
    expect(opened()).toBe(1_001);
    await of('team-0', [key]);
    expect(opened()).toBe(1_002);
  });
});
