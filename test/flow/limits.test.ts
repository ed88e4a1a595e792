import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readRefusal } from '#test/support/answers';
import { hang, refuse, resetAtOnce } from '#test/support/faults';
import { MODEL } from '#test/support/house';
import { keyOf, MANAGER, openLimitedHouse, statusOf, type LimitedHouse, type LimitedTeam } from '#test/support/limited-house';
import { answer, chunk, openStream, talkUntilLeft } from '#test/support/openai-scripts';
import { sendRaw } from '#test/support/raw-client';
import type { Script } from '#test/support/scripted-upstream';
import { PATIENCE } from '#test/support/patience';

let house: LimitedHouse;

beforeAll(async () => {
  house = await openLimitedHouse();
});
afterAll(() => house.stop());
beforeEach(() => house.refresh());

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });
const statusesOf = (asked: readonly Promise<Response>[]) => Promise.all(asked.map(statusOf));
const times = <Value>(count: number, make: (place: number) => Value): Value[] => Array.from({ length: count }, (_, place) => make(place));
const sorted = (statuses: readonly number[]) => statuses.toSorted((one, other) => one - other);

describe('requests per minute', () => {
  it('M1: of twenty at once exactly the limit is admitted, the others never reach an upstream, and the next minute begins anew', async () => {
    for (let minute = 0; minute < 3; minute++) {
      await house.enterMinute();
      house.upstream.calls.length = 0;
      const statuses = await statusesOf(times(20, () => house.ask('paced')));
      expect(sorted(statuses)).toEqual([...times(5, () => 200), ...times(15, () => 429)]);
      expect(house.upstream.calls).toHaveLength(5);
    }
  });

  it('R19: a refusal says whose limit it is, what is left and when to come back', async () => {
    await statusesOf(times(5, () => house.ask('paced')));
    const refused = await house.ask('paced');
    expect(refused.headers.get('x-ratelimit-limit-requests')).toBe('5');
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    const waitMs = Number(refused.headers.get('retry-after-ms'));
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(59_000);
    expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil(waitMs / 1000));
    expect(await readRefusal(refused, 429)).toMatchObject({
      type: 'rate_limit_error',
      metadata: { error_type: 'rate_limit_exceeded', headrace_code: 'limit_exceeded' },
    });
  });

  it('K9: a key within its team is held to both limits, and no other key is held to its own', async () => {
    const askAs = (name: string) => house.chat({}, bearer(keyOf('nested', name)));
    expect(sorted(await statusesOf(times(10, () => askAs('tight'))))).toEqual([...times(4, () => 200), ...times(6, () => 429)]);
    expect(sorted(await statusesOf(times(10, () => askAs('loose'))))).toEqual([...times(2, () => 200), ...times(8, () => 429)]);
  });

  it('the client of OpenAI waits as long as it is told and is served', async () => {
    await house.enterMinute(58_000);
    await statusOf(house.ask('patient'));
    const client = new OpenAI({ apiKey: keyOf('patient'), baseURL: `${house.url}/v1`, maxRetries: 2 });
    const said = await client.chat.completions.create({ model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }] });
    expect(said.choices[0]?.message.content).toBe('Hello there.');
    expect(house.upstream.calls).toHaveLength(2);
  });

  it('are not used up by what is refused before anything is held', async () => {
    expect(await statusOf(house.ask('still', { messages: [] }))).toBe(400);
    expect(await statusOf(house.ask('still', { model: 'no/such-model' }))).toBe(404);
    expect(await statusOf(house.ask('still'))).toBe(200);
  });
});

describe('tokens per minute', () => {
  it('count as the upstream reports them once a request has ended, and as held while it runs', async () => {
    house.upstream.script('plain', answer({ promptTokens: 60, completionTokens: 40 }));
    const statuses: number[] = [];
    // Each holds 107 tokens and uses 100: the tenth would fit only if nothing had been given back or taken.
    for (let turn = 0; turn < 10; turn++) statuses.push(await statusOf(house.ask('wordy', { max_tokens: 100 })));
    expect(statuses).toEqual([...times(9, () => 200), 429]);
    expect(await statusOf(house.ask('wordy', { max_tokens: 90 }))).toBe(200);
    await house.enterMinute();
    expect(sorted(await statusesOf(times(20, () => house.ask('wordy', { max_tokens: 100 }))))).toEqual([
      ...times(9, () => 200),
      ...times(11, () => 429),
    ]);
  });

  it('that nobody expected count, too: the next request waits for the next minute', async () => {
    house.upstream.script('plain', answer({ promptTokens: 2000, completionTokens: 500 }));
    const first = await house.ask('wordy');
    await first.text();
    expect(first.status).toBe(200);
    expect(await statusOf(house.ask('wordy', { max_tokens: 200 }))).toBe(429);
    await house.enterMinute();
    expect(await statusOf(house.ask('wordy', { max_tokens: 200 }))).toBe(200);
  });

  it('of a request that is too large for any minute are refused at once', async () => {
    expect(await statusOf(house.ask('wordy', { max_tokens: 5000 }))).toBe(429);
    expect(house.upstream.calls).toHaveLength(0);
  });
});

describe('requests at once', () => {
  const fill = async (team: LimitedTeam, count: number): Promise<Response[]> => {
    house.upstream.script('plain', talkUntilLeft);
    const open = await Promise.all(times(count, () => house.ask(team, { stream: true })));
    expect(open.map(({ status }) => status)).toEqual(times(count, () => 200));
    return open;
  };
  const served = (team: LimitedTeam) => vi.waitUntil(async () => (await statusOf(house.ask(team))) === 200, PATIENCE);

  it('are no more than the limit; a slot is free again when its client leaves', async () => {
    const [first, second] = await fill('narrow', 2);
    const refused = await house.ask('narrow');
    expect(refused.headers.get('x-ratelimit-remaining-concurrent')).toBe('0');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await readRefusal(refused, 429);

    await first?.body?.cancel();
    house.upstream.script('plain', answer());
    await served('narrow');
    await second?.body?.cancel();
  });

  it.each([
    ['a whole answer has been given', {}, 'plain', answer(), 200],
    ['a stream has ended', { stream: true }, 'plain', answer(), 200],
    ['a stream has broken off', { stream: true }, 'plain', breakOff, 200],
    ['the upstream has broken the connection', { model: 'test/broken' }, 'broken', resetAtOnce, 502],
    ['the upstream has refused', { model: 'test/refusing' }, 'refusing', refuse(400), 400],
    ['nothing could serve', { provider: { max_price: { prompt: 0, completion: 0 } } }, 'plain', answer(), 404],
    ['an embedding has been made', {}, 'embeddings', answer(), 200],
  ])('M10: a slot is free again when %s', async (_, body, endpoint, script, status) => {
    if (endpoint !== 'embeddings') house.upstream.script(endpoint, script as Script);
    for (let turn = 0; turn < 3; turn++) {
      const asked = endpoint === 'embeddings' ? house.embed('lone') : house.ask('lone', body);
      expect(await statusOf(asked)).toBe(status);
    }
  });

  it('M10: a slot is free again when a client leaves before any answer, whole or as a stream', async () => {
    for (const stream of [false, true]) {
      house.upstream.script('plain', hang);
      house.upstream.calls.length = 0;
      const client = await sendRaw({ ...house, key: keyOf('lone') }, { stream });
      await vi.waitUntil(() => house.upstream.calls.length === 1, PATIENCE);
      expect(await statusOf(house.ask('lone'))).toBe(429);
      client.reset();
      house.upstream.script('plain', answer());
      await served('lone');
    }
  });

  it('of many at once exactly the limit is under way', async () => {
    house.upstream.script('plain', talkUntilLeft);
    const answers = await Promise.all(times(20, () => house.ask('narrow', { stream: true })));
    expect(sorted(answers.map(({ status }) => status))).toEqual([200, 200, ...times(18, () => 429)]);
    expect(house.upstream.calls).toHaveLength(2);
    await Promise.all(answers.map(async ({ body }) => body?.cancel()));
    house.upstream.script('plain', answer());
    await served('narrow');
  });
});

describe('a key', () => {
  async function makeKey(body: Record<string, unknown>): Promise<string> {
    const made = await fetch(`${house.url}/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${MANAGER}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return ((await made.json()) as { key: string }).key;
  }

  it('K8: that has expired is refused from that instant on, however fresh its look-up is', async () => {
    const expiresAt = new Date((await house.enterMinute()) + 30_000).toISOString();
    const key = await makeKey({ name: 'short', team: 'free', expires_at: expiresAt });
    expect(await statusOf(house.chat({}, bearer(key)))).toBe(200);
    await house.enterMinute();
    expect(await statusOf(house.chat({}, bearer(key)))).toBe(401);
  });

  it('K9: infers with allowed models only, whatever its limits allow', async () => {
    const refused = await house.chat({ model: 'test/broken' }, bearer(keyOf('nested', 'loose')));
    expect(await readRefusal(refused, 403)).toMatchObject({ param: 'model' });
  });
});

/** Says something and breaks the connection. */
function breakOff(_: unknown, response: Parameters<Script>[1]): void {
  openStream(response);
  response.write(chunk({ role: 'assistant', content: 'Hello' }), () => setTimeout(() => response.destroy(), 20));
}
