import { describe, expect, it } from 'vitest';
import { createRandom } from '#devnet/random';
import { quirksOf } from '#providers/registry';
import { encodeOpenAiRequest } from '#providers/wire/openai-chat/encode-request';
import { ENGINES } from '#schema/node';
import { sayChat } from '#src/dispatch/say-chat';
import { everydayRequest } from '#src/nodes/probe/everyday';
import { continuationTask, schemaTask, seedTask, toolTask } from '#src/nodes/probe/tasks';
import { probeEngine, type Call } from './fake-engine.ts';

const DRAWS = 2_000;
const ROOM = { maxTokensLeast: 16, maxTokensMost: 160 };

const textsOf = (calls: readonly Call[]): string[] =>
  calls.flatMap(({ body }) => ((body['messages'] as { content: string }[] | undefined) ?? []).map(({ content }) => content));

/** The largest share of one value. */
function commonest(values: readonly unknown[]): number {
  const counts = Map.groupBy(values, String);
  return Math.max(...[...counts.values()].map(({ length }) => length)) / values.length;
}

const drawn = <Value>(make: (random: () => number) => Value): Value[] => {
  const random = createRandom(7);
  return Array.from({ length: DRAWS }, () => make(random));
};

describe('a probe beside a client', () => {
  it.each([...ENGINES, null])('R8: says the same request to %s in the same headers and the same words', (engine) => {
    const request = {
      model: 'm',
      messages: [{ role: 'user' as const, content: 'Hello.' }],
      max_tokens: 30,
      temperature: 0.7,
      stream: true,
    };
    const [url, key] = ['https://gpu.example.com/v1', 'sk-theirs'];
    const target = {
      url,
      upstreamModel: 'm',
      key,
      auth: 'bearer' as const,
      headers: {},
      quirks: quirksOf('selfhosted', engine),
      maxOutput: null,
      operatorId: 'op',
    };
    const client = encodeOpenAiRequest(request, target as unknown as Parameters<typeof encodeOpenAiRequest>[1]);
    const probe = sayChat(request, { url, dialect: 'openai-chat', upstreamModel: 'm', engine, key });
    expect(probe).toEqual({ url: client.url, headers: client.headers, body: client.body });
  });

  it('R8: whatever it asks, says it in the headers of a client', async () => {
    const { calls } = await probeEngine({}, { declared: { capabilities: ['tools', 'json_schema', 'seed', 'continuation'] } });
    const asked = calls.filter(({ method }) => method === 'POST');
    const names = new Set(asked.map(({ headers }) => [...headers.keys()].join(' ')));
    expect(names).toEqual(new Set(['accept content-type endpoint-load-metrics-format']));
    expect(textsOf(calls).join(' ')).not.toMatch(/headrace|probe|canary|\btest/i);
  });

  it('R8: says hardly anything twice, in one probe or in a hundred', async () => {
    const texts: string[] = [];
    for (let seed = 1; seed <= 20; seed++)
      texts.push(...textsOf((await probeEngine({}, {}, 'thorough', seed)).calls).filter((text) => text.length > 80));
    expect(texts.length).toBeGreaterThan(100);
    expect(new Set(texts).size).toBeGreaterThan(texts.length * 0.9);
  });
});

describe('requests that probes draw', () => {
  const requests = drawn((random) => everydayRequest(random, ROOM));

  it('R8: have no length, limit, temperature or shape that most of them share', () => {
    const questions = requests.map(({ messages }) => messages.findLast(({ role }) => role === 'user')?.content as string);
    expect(commonest(requests.map(({ max_tokens: limit }) => limit))).toBeLessThan(0.1);
    expect(commonest(requests.map(({ temperature }) => temperature))).toBeLessThan(0.4);
    expect(commonest(requests.map(({ messages }) => messages.map(({ role }) => role).join()))).toBeLessThan(0.5);
    expect(commonest(requests.map(({ messages }) => JSON.stringify(messages)))).toBeLessThan(0.01);
    expect(commonest(questions.map((text) => text.slice(0, 12)))).toBeLessThan(0.2);
    const lengths = requests.map(({ messages }) => JSON.stringify(messages).length);
    expect(Math.max(...lengths)).toBeGreaterThan(4 * Math.min(...lengths));
  });

  it('stay within the room that they are given', () => {
    for (const { max_tokens: limit } of requests) {
      expect(limit).toBeGreaterThanOrEqual(ROOM.maxTokensLeast);
      expect(limit).toBeLessThanOrEqual(ROOM.maxTokensMost);
    }
  });

  it('are the same for the same chance', () => {
    expect(drawn((random) => everydayRequest(random, ROOM))).toEqual(requests);
  });

  it('R8: that have a known answer have another one nearly every time', () => {
    expect(commonest(drawn((random) => JSON.stringify(toolTask(random).request.messages)))).toBeLessThan(0.05);
    expect(commonest(drawn((random) => schemaTask(random).keys.join()))).toBeLessThan(0.05);
    expect(commonest(drawn((random) => JSON.stringify(seedTask(random))))).toBeLessThan(0.02);
    expect(commonest(drawn((random) => continuationTask(random).next))).toBeLessThan(0.1);
  });

  it('count on from where they have begun', () => {
    for (const { begun, first, next } of drawn(continuationTask)) {
      const numbers = begun.match(/\d+/g)?.map(Number) ?? [];
      const step = (numbers[1] ?? 0) - (numbers[0] ?? 0);
      expect(first.map(Number)).toEqual(numbers.slice(0, 2));
      expect(Number(next)).toBe((numbers.at(-1) ?? 0) + step);
    }
  });
});
