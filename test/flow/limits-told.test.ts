import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refuse } from '#test/support/faults';
import { MODEL } from '#test/support/house';
import { keyOf, openLimitedHouse, statusOf, type LimitedHouse } from '#test/support/limited-house';
import { unitModel } from '#test/support/unit-endpoints';

let house: LimitedHouse;

beforeAll(async () => {
  house = await openLimitedHouse();
});
afterAll(() => house.stop());
beforeEach(() => house.refresh());

describe('what answers say', () => {
  it("the client of OpenAI reads what is left in its own API's headers, whole and streamed", async () => {
    const client = new OpenAI({ apiKey: keyOf('told'), baseURL: `${house.url}/v1`, maxRetries: 0 });
    const request = { model: MODEL, max_tokens: 50, messages: [{ role: 'user' as const, content: 'Say hello.' }] };
    const whole = await client.chat.completions.create(request).withResponse();
    expect(Object.fromEntries([...whole.response.headers].filter(([name]) => name.startsWith('x-ratelimit')))).toEqual({
      'x-ratelimit-limit-requests': '600',
      'x-ratelimit-remaining-requests': '599',
      'x-ratelimit-reset-requests': expect.stringMatching(/^5\d(\.\d+)?s$/),
      'x-ratelimit-limit-tokens': '2000000',
      'x-ratelimit-remaining-tokens': String(2_000_000 - 57),
      'x-ratelimit-reset-tokens': expect.stringMatching(/^5\d(\.\d+)?s$/),
      'x-ratelimit-limit-concurrent': '64',
      'x-ratelimit-remaining-concurrent': '63',
    });
    const streamed = await client.chat.completions.create({ ...request, stream: true }).withResponse();
    expect(streamed.response.headers.get('x-ratelimit-remaining-requests')).toBe('598');
    expect(streamed.response.headers.get('access-control-expose-headers')).toContain('x-ratelimit-remaining-requests');
    for await (const _ of streamed.data);
  });

  it('failures of upstreams carry them as well', async () => {
    house.upstream.script('refusing', refuse(400));
    const failed = await house.ask('told', { model: 'test/refusing' });
    expect(failed.status).toBe(400);
    expect(failed.headers.get('x-ratelimit-limit-requests')).toBe('600');
    await failed.text();
  });

  it('nothing is said to callers without limits', async () => {
    const response = await house.ask('free');
    expect([...response.headers.keys()].filter((name) => name.startsWith('x-ratelimit') || name === 'retry-after-ms')).toEqual([]);
    await response.text();
  });
});

describe('refusals on every surface', () => {
  const SURFACES: readonly [string, Record<string, unknown>][] = [
    ['chat/completions', { model: MODEL, messages: [{ role: 'user', content: 'hi' }] }],
    ['completions', { model: MODEL, prompt: 'hi' }],
    ['responses', { model: MODEL, input: 'hi' }],
    ['messages', { model: MODEL, max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] }],
    ['embeddings', { model: unitModel('embedder'), input: 'hi' }],
  ];

  it.each(SURFACES)('%s: 429 of our own, in the words of its API', async (path, body) => {
    await statusOf(house.ask('still'));
    const refused = await house.post('still', path, body);
    expect(refused.status).toBe(429);
    expect(refused.headers.has('retry-after')).toBe(true);
    expect(refused.headers.has('retry-after-ms')).toBe(true);
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', message: expect.any(String) } });
    expect(house.upstream.calls).toHaveLength(1);
  });

  it.each(SURFACES)('%s: 402 when the budget does not cover the worst case, with what is left of the limits', async (path, body) => {
    const refused = await house.post('poor', path, body);
    expect(refused.status).toBe(402);
    expect(refused.headers.get('x-ratelimit-limit-requests')).toBe('600');
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining('budget') } });
    expect(house.upstream.calls).toHaveLength(0);
  });
});
