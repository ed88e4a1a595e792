import { describe, expect, it, vi } from 'vitest';
import { BEFORE, HOUR_MS, listOf, NOW_MS, openDesk, TOGETHER } from '#test/support/price-desk';
import { PATIENCE } from '#test/support/patience';

const ON = { HEADRACE_PRICE_FEEDS: 'on' };

describe('lists of known providers', () => {
  it('are not read unless the deployment says so', async () => {
    const { desk, asked } = openDesk({ [TOGETHER]: listOf(0.2) });
    await desk.readDue();
    expect(asked).toEqual([]);
  });

  it('are read three at a time, every one of them once in six hours', async () => {
    const { desk, clock, asked } = openDesk({ [TOGETHER]: listOf(0.2) }, ON);
    await desk.readDue();
    expect(asked).toHaveLength(3);
    for (let minute = 0; minute < 10; minute++) await desk.readDue();
    const together = () => asked.filter(({ url }) => url === TOGETHER).length;
    expect(together()).toBe(1);
    clock.nowMs += 6 * HOUR_MS - 1;
    for (let minute = 0; minute < 10; minute++) await desk.readDue();
    expect(together()).toBe(1);
    clock.nowMs += 1;
    for (let minute = 0; minute < 10; minute++) await desk.readDue();
    expect(together()).toBe(2);
  });

  it('write dated rows beside the old ones', async () => {
    const { desk, sqlite } = openDesk({ [TOGETHER]: listOf(0.2) });
    const report = await desk.read('together', { actor: 'key-1', acceptsShorter: false });
    expect(report).toMatchObject({ error: null, models: 1, changed: [{ endpointId: 'together:openai/gpt-oss-120b' }] });
    expect(sqlite.rows('SELECT valid_from_ms, prompt_pico_usd_per_token AS prompt, source FROM offers ORDER BY valid_from_ms')).toEqual([
      { valid_from_ms: 1000, prompt: 150_000, source: 'price page' },
      { valid_from_ms: NOW_MS, prompt: 200_000, source: 'feed:together' },
    ]);
    expect(sqlite.rows("SELECT value FROM meta WHERE name = 'catalogue_version'")[0]?.value).toMatch(/^v1\+[0-9a-f]{16}$/);
    expect(sqlite.rows('SELECT actor, action, object FROM audit')).toEqual([
      { actor: 'key-1', action: 'price_feed.read', object: 'price_feed:together' },
    ]);
  });

  it('leave a price alone that somebody has changed while the list was on its way', async () => {
    const { desk, sqlite } = openDesk({
      get [TOGETHER]() {
        sqlite.insert('offers', { endpoint_id: 'together:openai/gpt-oss-120b', valid_from_ms: 2000, ...BEFORE, source: 'manifest' });
        return listOf(0.2);
      },
    });
    expect((await desk.read('together', { actor: 'key-1', acceptsShorter: false })).error).toBeNull();
    expect(sqlite.rows("SELECT * FROM offers WHERE source = 'feed:together'")).toEqual([]);
    expect(sqlite.rows("SELECT value FROM meta WHERE name = 'catalogue_version'")).toEqual([{ value: 'v1' }]);
  });

  it('K1: get the provider’s key at the provider’s own origin only', async () => {
    const keys = { TOGETHER_API_KEY: 'tk-1', OVH_AI_ENDPOINTS_ACCESS_TOKEN: 'ok-1' };
    const { desk, asked } = openDesk({ [TOGETHER]: listOf(0.2) }, keys);
    for (const feed of ['together', 'ovhcloud']) await desk.read(feed, { actor: 'key-1', acceptsShorter: false });
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer tk-1', null]);
  });
});

describe('feeds of the manifest', () => {
  const terms = {
    format: 'openrouter',
    provider: 'acme',
    supply: 'centralized',
    endpointUrl: 'https://api.acme.example/v1',
    keySecret: null,
  };
  const feed = (over: object) => ({ id: 'acme', source: 'manifest', terms: { ...terms, ...over } });

  it.each([
    ['http://api.acme.example/v1/models', 'only https is allowed'],
    ['https://10.0.0.8/v1/models', 'the address is private or reserved'],
    ['https://[::ffff:127.0.0.1]/models', 'the address is private or reserved'],
    ['https://api.acme.example:22/models', 'port 22 is not allowed; use 443 or 8443'],
    ['https://user:pw@api.acme.example/models', 'it contains user information'],
  ])('S11: %s is never called, even if it got into the database', async (url, reason) => {
    const { desk, sqlite, asked } = openDesk({ [url]: [] });
    sqlite.insert('price_feeds', feed({ url }));
    expect((await desk.read('acme', { actor: 'key-1', acceptsShorter: false })).error).toBe(`its address may not be called: ${reason}`);
    expect(asked).toEqual([]);
  });

  it('K1: never send a secret of the router’s own, nor any key to another origin', async () => {
    const secrets = { HEADRACE_SEAL_KEY: 'seal', ACME_KEY: 'ak-1' };
    for (const [url, keySecret] of [
      ['https://api.acme.example/v1/models', 'HEADRACE_SEAL_KEY'],
      ['https://lists.other.example/models', 'ACME_KEY'],
    ]) {
      const { desk, sqlite, asked } = openDesk({}, secrets);
      sqlite.insert('price_feeds', feed({ url, keySecret }));
      await desk.read('acme', { actor: 'key-1', acceptsShorter: false });
      expect(asked).toEqual([{ url, authorization: null }]);
    }
  });

  it('one that is being read is left to whoever reads it, and taken up again after ten minutes if that never ends', async () => {
    const url = 'https://api.acme.example/v1/models';
    const { desk, sqlite, clock, asked } = openDesk({ [url]: 'hangs' });
    sqlite.insert('price_feeds', feed({ url }));
    void desk.readDue();
    await vi.waitFor(() => expect(asked).toHaveLength(1), PATIENCE);
    await desk.readDue();
    clock.nowMs += 10 * 60_000 - 1;
    await desk.readDue();
    expect(asked).toHaveLength(1);
    clock.nowMs += 1;
    void desk.readDue();
    await vi.waitFor(() => expect(asked).toHaveLength(2), PATIENCE);
  });

  it('that fails is asked again in five minutes', async () => {
    const { desk, sqlite, clock } = openDesk({});
    sqlite.insert('price_feeds', feed({ url: 'https://api.acme.example/v1/models' }));
    await desk.readDue();
    expect((await desk.feeds()).find(({ id }) => id === 'acme')).toMatchObject({
      error: 'HTTP 500',
      failedReadings: 1,
      isRead: true,
      nextReadAtMs: clock.nowMs + 5 * 60_000,
    });
  });
});

it('a list leaves endpoints of others alone, even one without a price that is called like one of its own', async () => {
  const { desk, sqlite } = openDesk({
    'https://api.acme.example/v1/models': { data: [{ id: 'x', pricing: { prompt: '0.000001', completion: '0.000002' } }] },
  });
  const terms = {
    format: 'openrouter',
    provider: 'acme',
    supply: 'centralized',
    endpointUrl: 'https://api.acme.example/v1',
    keySecret: null,
  };
  sqlite.insert('price_feeds', { id: 'acme', source: 'manifest', terms: { ...terms, url: 'https://api.acme.example/v1/models' } });
  sqlite.exec("UPDATE endpoints SET id = 'acme:x', source = 'manifest'; DELETE FROM offers");
  for (let reading = 0; reading < 2; reading++)
    expect(await desk.read('acme', { actor: 'key-1', acceptsShorter: false })).toMatchObject({
      error: null,
      added: [],
      changed: [],
      unknown: ['x'],
    });
  expect(sqlite.rows('SELECT * FROM offers')).toEqual([]);
});

it('K1: Cloudflare’s list is read with the account’s token, and brings its models under the names that they have here', async () => {
  const account = 'https://api.cloudflare.com/client/v4/accounts/0123/ai';
  const list = `${account}/models/search?format=openrouter`;
  const model = {
    id: '@cf/openai/gpt-oss-120b',
    hugging_face_id: 'openai/gpt-oss-120b',
    pricing: { prompt: '0.00000035', completion: '0.00000075' },
  };
  const { desk, sqlite, asked } = openDesk({ [list]: { success: true, result: [model] } }, { CLOUDFLARE_API_TOKEN: 'cf-token' });
  const terms = {
    url: list,
    format: 'openrouter',
    provider: 'cloudflare-workers-ai',
    supply: 'centralized',
    endpointUrl: `${account}/v1`,
    keySecret: 'CLOUDFLARE_API_TOKEN',
  };
  sqlite.insert('price_feeds', { id: 'cloudflare', source: 'manifest', terms });
  const id = 'cloudflare:@cf/openai/gpt-oss-120b';
  expect(await desk.read('cloudflare', { actor: 'key-1', acceptsShorter: false })).toMatchObject({ error: null, added: [id] });
  expect(asked).toEqual([{ url: list, authorization: 'Bearer cf-token' }]);
  expect(sqlite.rows(`SELECT model_id, url, key_secret FROM endpoints WHERE id = '${id}'`)).toEqual([
    { model_id: 'openai/gpt-oss-120b', url: `${account}/v1`, key_secret: 'CLOUDFLARE_API_TOKEN' },
  ]);
});

it('a database that does not answer is told as that, without what it said', async () => {
  const { desk, sqlite } = openDesk({});
  sqlite.behave('fails');
  await expect(desk.held()).rejects.toThrow('Prices cannot be read or written right now. Try again shortly.');
});
