import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '#schema/base64';
import { createSealer, PREVIOUS_SEAL_SECRET, readSealSecret, SEAL_SECRET, type SealScope } from '#src/byok/seal';
import { caught } from '#test/support/caught';

const KEY = 'sk-vendor-canary-5512-0123456789';
const SCOPE: SealScope = { teamId: 'research', providerId: 'acme', origin: 'https://api.acme.example' };
const [FIRST, SECOND] = ['11'.repeat(32), '22'.repeat(32)];

const sealerOf = (secrets: Readonly<Record<string, string>>) => createSealer((name) => secrets[name]);

describe('a sealed key', () => {
  it('opens for whom it was sealed, and shows nothing of itself', async () => {
    const sealer = sealerOf({ [SEAL_SECRET]: FIRST });
    const seal = await sealer.seal(SCOPE, KEY);
    expect(await sealer.open(SCOPE, seal)).toEqual({ key: KEY, isCurrent: true });
    expect(Buffer.from(seal.sealed, 'base64').toString('latin1')).not.toContain('canary');
    expect(seal.sealKeyId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is sealed otherwise every time', async () => {
    const sealer = sealerOf({ [SEAL_SECRET]: FIRST });
    const [one, other] = await Promise.all([sealer.seal(SCOPE, KEY), sealer.seal(SCOPE, KEY)]);
    expect(one.sealed.slice(0, 16)).not.toBe(other.sealed.slice(0, 16));
    expect(one.sealKeyId).toBe(other.sealKeyId);
  });

  it.each([
    ['another team', { teamId: 'sales' }],
    ['another provider', { providerId: 'other' }],
    ['another origin', { origin: 'https://api.acme.example.evil.example' }],
    ['another scheme', { origin: 'http://api.acme.example' }],
    ['no team', { teamId: '' }],
  ])('K1, K15: does not open for %s', async (_, change) => {
    const sealer = sealerOf({ [SEAL_SECRET]: FIRST });
    const seal = await sealer.seal(SCOPE, KEY);
    expect(await sealer.open({ ...SCOPE, ...change }, seal)).toEqual({ reason: 'broken_seal' });
  });

  it('does not open with any byte of it changed, nor cut short at any place', async () => {
    const sealer = sealerOf({ [SEAL_SECRET]: FIRST });
    const seal = await sealer.seal(SCOPE, KEY);
    const bytes = fromBase64(seal.sealed) ?? new Uint8Array();
    // Vector, ciphertext, tag.
    expect(bytes).toHaveLength(12 + KEY.length + 16);
    const outcomes: unknown[] = [];
    for (let place = 0; place < bytes.length; place++) {
      const changed = bytes.map((byte, at) => (at === place ? byte ^ 1 : byte));
      for (const tampered of [changed, bytes.slice(0, place)])
        outcomes.push(await sealer.open(SCOPE, { ...seal, sealed: toBase64(tampered) }));
    }
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(new Set(['{"reason":"broken_seal"}']));
  });

  it.each(['', '!', 'AAAA', 'no base64 at all'])('%j is no seal', async (sealed) => {
    const sealer = sealerOf({ [SEAL_SECRET]: FIRST });
    const { sealKeyId } = await sealer.seal(SCOPE, KEY);
    expect(await sealer.open(SCOPE, { sealKeyId, sealed })).toEqual({ reason: 'broken_seal' });
  });

  it('does not open under another secret, also when its row claims to be of that one', async () => {
    const seal = await sealerOf({ [SEAL_SECRET]: FIRST }).seal(SCOPE, KEY);
    const other = sealerOf({ [SEAL_SECRET]: SECOND });
    const { sealKeyId } = await other.seal(SCOPE, KEY);
    expect(await other.open(SCOPE, seal)).toEqual({ reason: 'unknown_secret' });
    expect(await other.open(SCOPE, { ...seal, sealKeyId })).toEqual({ reason: 'broken_seal' });
    expect(await sealerOf({}).open(SCOPE, seal)).toEqual({ reason: 'unknown_secret' });
  });

  it('K14: opens under the previous secret, and says that it is not of the current one', async () => {
    const seal = await sealerOf({ [SEAL_SECRET]: FIRST }).seal(SCOPE, KEY);
    const rotated = sealerOf({ [SEAL_SECRET]: SECOND, [PREVIOUS_SEAL_SECRET]: FIRST });
    expect(await rotated.open(SCOPE, seal)).toEqual({ key: KEY, isCurrent: false });
    const anew = await rotated.seal(SCOPE, KEY);
    expect(anew.sealKeyId).not.toBe(seal.sealKeyId);
    expect(await sealerOf({ [SEAL_SECRET]: SECOND }).open(SCOPE, anew)).toEqual({ key: KEY, isCurrent: true });
  });
});

describe('the secret', () => {
  it('is 32 bytes, in hex or base64url', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, at) => 251 - at);
    const base64url = Buffer.from(bytes).toString('base64url');
    expect(base64url).toMatch(/[-_]/);
    for (const text of [Buffer.from(bytes).toString('hex'), Buffer.from(bytes).toString('hex').toUpperCase(), base64url, `${base64url}=`])
      expect(readSealSecret(text)).toEqual(bytes);
  });

  it.each([
    undefined,
    '',
    'changeme',
    '0'.repeat(63),
    '0'.repeat(65),
    'g'.repeat(64),
    'A'.repeat(42),
    `${'A'.repeat(42)}+`,
    ` ${'A'.repeat(43)}`,
  ])('K12: %j seals nothing, and says so without repeating it', async (text) => {
    expect(readSealSecret(text)).toBeNull();
    const refused = await caught(sealerOf(text === undefined ? {} : { [SEAL_SECRET]: text }).seal(SCOPE, KEY));
    expect(refused).toMatchObject({ code: 'permission_denied', message: expect.stringContaining(SEAL_SECRET) });
    if (text) expect(String((refused as Error).message)).not.toContain(text);
  });
});
