import { describe, expect, it } from 'vitest';
import { requestDigest } from '#src/ledger/idempotency/request-digest';
import { seal, ticketSecrets, unseal, type SecretSources } from '#src/ledger/idempotency/seal';

const SOURCES: SecretSources = {
  keyId: 'key-1',
  token: 'sk-hr-one-0000000000000000000',
  idempotencyKey: 'order-1',
  requestDigest: Uint8Array.from({ length: 32 }, (_, place) => place),
};
const TEXT = 'The answer is kept.';
const BYTES = Uint8Array.from(new TextEncoder().encode(TEXT));

const CHANGES: [what: string, change: Partial<SecretSources>][] = [
  ['token', { token: 'sk-hr-two-0000000000000000000' }],
  ['Idempotency-Key', { idempotencyKey: 'order-2' }],
  ['request', { requestDigest: new Uint8Array(32) }],
];

describe('P1: a sealed answer', () => {
  it('is opened by the same request', async () => {
    const sealed = await seal(BYTES, ticketSecrets(SOURCES), 'gen-1');
    expect(await unseal(sealed, ticketSecrets({ ...SOURCES }), 'gen-1')).toEqual(BYTES);
    expect(Buffer.from(sealed).includes(TEXT)).toBe(false);
  });

  it.each(CHANGES)('stays shut with another %s', async (_, change) => {
    const sealed = await seal(BYTES, ticketSecrets(SOURCES), 'gen-1');
    expect(await unseal(sealed, ticketSecrets({ ...SOURCES, ...change }), 'gen-1')).toBeNull();
  });

  it('stays shut for another generation, and when a bit of it has changed', async () => {
    const secrets = ticketSecrets(SOURCES);
    const sealed = await seal(BYTES, secrets, 'gen-1');
    expect(await unseal(sealed, secrets, 'gen-2')).toBeNull();
    for (const at of [0, 12, sealed.length - 1]) {
      const changed = sealed.map((byte, place) => (place === at ? byte ^ 1 : byte));
      expect(await unseal(changed, secrets, 'gen-1')).toBeNull();
    }
    expect(await unseal(new Uint8Array(), secrets, 'gen-1')).toBeNull();
  });

  it('never looks the same twice', async () => {
    const secrets = ticketSecrets(SOURCES);
    expect(await seal(BYTES, secrets, 'gen-1')).not.toEqual(await seal(BYTES, secrets, 'gen-1'));
  });
});

describe('a ticket', () => {
  it.each(CHANGES)('has another fingerprint with another %s', (_, change) => {
    expect(ticketSecrets({ ...SOURCES, ...change }).fingerprint).not.toBe(ticketSecrets(SOURCES).fingerprint);
  });

  it('is named by key and Idempotency-Key alone, so that another request under them is found out', () => {
    const { id } = ticketSecrets(SOURCES);
    expect(ticketSecrets({ ...SOURCES, requestDigest: new Uint8Array(32), token: 'sk-hr-rotated-000000000000000' }).id).toBe(id);
    expect(ticketSecrets({ ...SOURCES, keyId: 'key-2' }).id).not.toBe(id);
    expect(ticketSecrets({ ...SOURCES, keyId: 'key', idempotencyKey: '-1order-1' }).id).not.toBe(id);
  });
});

describe('requests are the same', () => {
  const URL_ = 'https://router.test/v1/chat/completions';
  const digestOf = (body: unknown, { url = URL_, headers = {} as Record<string, string> } = {}) =>
    Buffer.from(requestDigest({ url, headers: new Headers(headers), body })).toString('hex');
  const file = (bytes: number[]) => ({ field: 'file', name: 'a.mp3', contentType: 'audio/mpeg', bytes: Uint8Array.from(bytes) });

  it('whatever the order of their fields, their mount and who asks', () => {
    const one = digestOf({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    expect(digestOf({ messages: [{ content: 'Hi', role: 'user' }], model: 'm' })).toBe(one);
    expect(
      digestOf({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, { url: 'http://other.test/api/v1/chat/completions' }),
    ).toBe(one);
    const headers = { authorization: 'Bearer x', 'user-agent': 'y', 'x-stainless-retry-count': '1' };
    expect(digestOf({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, { headers })).toBe(one);
  });

  it('and different in anything that they say', () => {
    const bodies = [
      {},
      { a: null },
      { a: 'null' },
      { a: 1 },
      { a: '1' },
      { a: true },
      { a: [] },
      { a: {} },
      { a: [1, 2] },
      { a: [2, 1] },
      { a: [[1], 2] },
      { a: [[1, 2]] },
      { a: '', b: '' },
      { a: 'b' },
      { ab: '' },
      { a: '\ud800' },
      { a: '\udfff' },
      { a: '\u00e9' },
      { a: 'e\u0301' },
      { a: file([1, 2]) },
      { a: file([1, 3]) },
      { a: file([1, 2, 0]) },
      [],
      null,
      'a',
    ];
    expect(new Set(bodies.map((body) => digestOf(body))).size).toBe(bodies.length);
  });

  it('and different by path, query and the headers that shape an answer', () => {
    const digests = [
      digestOf({}),
      digestOf({}, { url: 'https://router.test/v1/completions' }),
      digestOf({}, { url: `${URL_}?a=b` }),
      ...['anthropic-beta', 'anthropic-version', 'x-headrace-policy', 'x-openrouter-metadata', 'x-session-id'].map((name) =>
        digestOf({}, { headers: { [name]: 'value' } }),
      ),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});
