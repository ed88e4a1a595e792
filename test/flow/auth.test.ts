import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer, readError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, sendJson } from '#test/support/openai-scripts';
import type { Script } from '#test/support/scripted-upstream';

const UPSTREAM_KEY = 'upstreamcanary7731';
const PROMPT = 'Heron canary prompt: the quick brown otter signs at midnight.';

const KEYS = {
  globbed: 'sk-hr-globbed-00000000000000',
  disabled: 'sk-hr-disabled-0000000000000',
  expired: 'sk-hr-expired-00000000000000',
  others: 'sk-hr-others-000000000000000',
  management: 'sk-hr-mgmt-admin-00000000000',
};

const logged: string[] = [];
let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'plain' },
      { id: 'second', model: 'other/echo-2' },
      { id: 'leaky', model: 'leaky/echo', key: { secret: 'LEAKY_KEY' } },
      { id: 'closed', model: 'leaky/closed', url: 'http://127.0.0.1:1/v1' },
    ],
    environment: { LEAKY_KEY: UPSTREAM_KEY },
    log: (line) => logged.push(line),
    manifest: {
      aliases: { 'gpt-echo': MODEL, 'gpt-second': 'other/echo-2' },
      management_keys: [{ name: 'admin', value: KEYS.management }],
      teams: [
        {
          id: 'testers',
          keys: [
            { name: 'globbed', value: KEYS.globbed, models: ['test/*'] },
            { name: 'disabled', value: KEYS.disabled },
            { name: 'expired', value: KEYS.expired },
          ],
        },
        { id: 'others', keys: [{ name: 'plain', value: KEYS.others }] },
      ],
    },
  });
  const db = await house.db();
  await db.prepare("UPDATE keys SET disabled = 1 WHERE name = 'disabled'").run();
  await db
    .prepare("UPDATE keys SET expires_at_ms = ?1 WHERE name = 'expired'")
    .bind(Date.now() - 1)
    .run();
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

describe('keys that are refused', () => {
  it('K6: unknown, malformed, missing, disabled and expired keys get one and the same answer', async () => {
    const attempts: Record<string, string>[] = [
      { authorization: 'Bearer sk-hr-unknown-0000000000000000' },
      { authorization: `Bearer ${house.key.slice(0, -1)}_` },
      { authorization: `Bearer ${KEYS.disabled}` },
      { authorization: `Bearer ${KEYS.expired}` },
      { authorization: 'Bearer sk-hr-short' },
      { authorization: `Bearer ${'sk-hr-'.padEnd(5000, 'x')}` },
      { authorization: 'Bearer sk-or-v1-0123456789abcdef' },
      { authorization: "Bearer sk-hr-'OR'1'='1'--00000000" },
      { authorization: 'Basic c2staHItYTpi' },
      { authorization: house.key },
      { authorization: '' },
      { authorization: '', 'x-api-key': 'sk-hr-unknown-0000000000000000' },
    ];
    const answers = await Promise.all(
      attempts.map(async (headers) => {
        const response = await house.chat({}, { headers });
        return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.text() };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 401, challenge: 'Bearer' });
    for (const [index, given] of answers.entries()) expect([attempts[index], given]).toEqual([attempts[index], answers[0]]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({
      error: { code: 401, type: 'authentication_error', param: null, metadata: { error_type: 'authentication' } },
    });
    expect(house.upstream.calls).toHaveLength(0);
  });

  it('a stranger learns that the key is wrong before anything about the body, the model or the path', async () => {
    for (const body of ['{', JSON.stringify({ model: 'nobody/has-this', messages: [] })]) {
      const response = await house.chat({}, { ...bearer('sk-hr-unknown-0000000000000000'), body });
      expect(response.status).toBe(401);
      await response.body?.cancel();
    }
    for (const path of ['/v1/key', '/v1/generation?id=gen-1', '/v1/models']) {
      const response = await house.get(path, bearer('sk-hr-unknown-0000000000000000'));
      expect([path, response.status]).toEqual([path, 401]);
      await response.body?.cancel();
    }
  });

  it('K11: a management key never infers', async () => {
    for (const path of ['/v1/chat/completions', '/v1/explain']) {
      const response = await house.get(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEYS.management}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }] }),
      });
      expect(response.status).toBe(403);
      expect(await readError(response)).toMatchObject({ code: 403, type: 'permission_error' });
    }
    expect(house.upstream.calls).toHaveLength(0);
  });

  it('K9: a key with models serves those only, by whatever name they are asked for', async () => {
    house.upstream.script('second', answer());
    const status = async (body: object) => {
      const response = await house.chat({ ...body }, bearer(KEYS.globbed));
      await response.body?.cancel();
      return response.status;
    };
    expect(await status({ model: MODEL })).toBe(200);
    expect(await status({ model: 'gpt-echo' })).toBe(200);
    expect(await status({ model: `${MODEL}:floor` })).toBe(200);
    expect(await status({ model: 'other/echo-2' })).toBe(403);
    expect(await status({ model: 'gpt-second' })).toBe(403);
    expect(await status({ model: 'other/echo-2:nitro' })).toBe(403);
    expect(await status({ model: MODEL, models: [MODEL, 'other/echo-2'] })).toBe(403);
    expect(house.upstream.calls.map(({ endpoint }) => endpoint)).toEqual(['plain', 'plain', 'plain']);
  });
});

describe('keys that are taken', () => {
  it('x-api-key is as good as a bearer token, and the scheme may be written in any case', async () => {
    for (const headers of [
      { authorization: '', 'x-api-key': house.key },
      { authorization: `bearer ${house.key}` },
      { authorization: `BEARER  ${house.key}` },
    ]) {
      const response = await house.chat({}, { headers });
      expect(response.status).toBe(200);
      await response.body?.cancel();
    }
  });

  it('K2: our key, cookies and forwarding headers of the client never reach an upstream', async () => {
    await readAnswer(
      await house.chat(
        {},
        { headers: { cookie: 'session=1', 'x-forwarded-for': '10.1.2.3', 'openai-organization': 'org-1', 'x-api-key': house.key } },
      ),
    );
    const sent = JSON.stringify(house.upstream.calls[0]?.headers);
    for (const secret of [house.key, 'session=1', '10.1.2.3', 'org-1']) expect(sent).not.toContain(secret);
  });
});

describe("what one tenant's words can do", () => {
  it('R9: a prompt that reads like a refused key, quoted by the endpoint, lays aside no key of ours', async () => {
    const prompt = 'Translate this: incorrect API key provided, authentication failed, you are unauthorized.';
    house.upstream.script('leaky', (_, response) => sendJson(response, 400, { error: { message: `cannot translate '${prompt}'` } }));
    for (let turn = 0; turn < 3; turn++) {
      const response = await house.chat({ model: 'leaky/echo', messages: [{ role: 'user', content: prompt }] }, bearer(KEYS.others));
      expect(response.status).toBe(400);
      await response.body?.cancel();
    }
    house.upstream.script('leaky', answer());
    expect((await readAnswer(await house.chat({ model: 'leaky/echo' }))).text).toBe('Hello there.');
  });
});

describe('receipts of others', () => {
  it("K8: another team's receipt and one that never was are the same 404", async () => {
    const { id } = await readAnswer(await house.chat());
    expect((await house.get(`/v1/generation?id=${id}`)).status).toBe(200);
    await house.receiptRow(id);
    const ask = async (asked: string, key: string) => {
      const response = await house.get(`/v1/generation?id=${asked}`, bearer(key));
      return { status: response.status, body: await response.text() };
    };
    const [nobodys, theirs, managed] = await Promise.all([
      ask(`${id.slice(0, -4)}0000`, KEYS.others),
      ask(id, KEYS.others),
      ask(id, KEYS.management),
    ]);
    expect(nobodys.status).toBe(404);
    expect(theirs).toEqual(nobodys);
    // A key that manages has no team whose receipts it could ask for, whether they are there or not.
    expect(managed.status).toBe(403);
    expect(managed).toEqual(await ask(`${id.slice(0, -4)}0000`, KEYS.management));
  });
});

describe('canaries', () => {
  /** What an upstream says when it wants to hurt: our key, the prompt, and where it runs. */
  const spill = (call: Parameters<Script>[0]): string =>
    `bad request: ${PROMPT} with "${PROMPT}" and key ${String(call.headers['authorization'])} (${UPSTREAM_KEY}) at http://${String(call.headers.host)}/leaky`;
  const failures: Record<string, Script> = {
    ...Object.fromEntries(
      [400, 401, 402, 403, 404, 413, 422, 429, 500, 503].map((status): [string, Script] => [
        `status ${status}`,
        (call, response) =>
          sendJson(
            response,
            status,
            { error: { message: spill(call), code: UPSTREAM_KEY, type: PROMPT } },
            { 'x-upstream': spill(call).replaceAll('\n', ' ') },
          ),
      ]),
    ),
    'plain text': (call, response) => void response.writeHead(500, { 'content-type': 'text/plain' }).end(spill(call)),
    'HTML page': (call, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end(`<html><title>${spill(call)}</title></html>`),
    redirect: (call, response) => void response.writeHead(302, { location: `http://127.0.0.1/?${encodeURIComponent(spill(call))}` }).end(),
    'error inside 200': (call, response) => sendJson(response, 200, { error: { message: spill(call) } }),
    'not JSON': (call, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(spill(call)),
    'error in mid-stream': (call, response) => {
      openStream(response);
      response.write(chunk({ role: 'assistant', content: 'well' }));
      response.end(event({ error: { message: spill(call), code: 500 } }));
    },
  };

  it('K4, K5, P1, P6: no key, prompt or address in any error, header, receipt or log line', async () => {
    const spoken: string[] = [];
    const listen = async (what: string, response: Response): Promise<void> => {
      const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      spoken.push(`${what}\n${headers}\n${await response.text()}`);
      const id = response.headers.get('x-generation-id');
      if (id === null) return;
      const record = await house.get(`/v1/generation?id=${id}`);
      expect([what, record.status]).toEqual([what, 200]);
      spoken.push(`receipt of ${what}\n${await record.text()}`);
    };
    const messages = [{ role: 'user', content: PROMPT }];
    for (const [name, script] of Object.entries(failures)) {
      for (const stream of [false, true]) {
        house.upstream.script('leaky', script);
        await listen(`${name}, ${stream ? 'stream' : 'JSON'}`, await house.chat({ model: 'leaky/echo', messages, stream }));
      }
    }
    expect(house.upstream.calls.some(({ headers }) => headers['authorization'] === `Bearer ${UPSTREAM_KEY}`)).toBe(true);
    await listen('no connection', await house.chat({ model: 'leaky/closed', messages }));
    await listen('bad field', await house.chat({ model: MODEL, messages, temperature: PROMPT }));
    await listen('bad role', await house.chat({ model: MODEL, messages: [{ role: PROMPT, content: PROMPT }] }));
    await listen('broken body', await house.chat({}, { body: `{"messages":[{"role":"user","content":"${PROMPT}"` }));
    await listen('refused key', await house.chat({ messages }, bearer(KEYS.disabled)));
    await listen('no tier', await house.chat({ model: MODEL, messages, provider: { zdr: true } }));

    const port = new URL(house.upstream.url('leaky')).port;
    const canaries = [UPSTREAM_KEY, 'Heron canary', 'brown otter', '127.0.0.1', `:${port}`, house.key, ...Object.values(KEYS)];
    for (const text of [...spoken, ...logged]) {
      for (const canary of canaries) expect(text).not.toContain(canary);
    }
  });

  it('K5, P1: nothing that D1 keeps holds a key or a prompt', async () => {
    house.upstream.script('plain', answer({ text: 'completion canary heron' }));
    const { id } = await readAnswer(await house.chat({ messages: [{ role: 'user', content: PROMPT }], stream: true }));
    await house.receiptRow(id);
    const db = await house.db();
    const tables = await db
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'")
      .all<{ name: string }>();
    expect(tables.results.map(({ name }) => name)).toContain('receipts');
    for (const { name } of tables.results) {
      const { results } = await db.prepare(`SELECT * FROM "${name}"`).all();
      const text = JSON.stringify(results);
      for (const canary of [UPSTREAM_KEY, 'Heron canary', 'brown otter', 'completion canary', house.key, ...Object.values(KEYS)]) {
        expect([name, text.includes(canary)]).toEqual([name, false]);
      }
    }
  });
});
