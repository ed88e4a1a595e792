import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import { ask, textOf } from './ask.ts';

const CACHES = [
  ['f16', 'f16'],
  ['q8_0', 'q8_0'],
  ['q4_0', 'q4_0'],
  ['q8_0', 'q4_0'],
] as const;

const engines = new Map<string, RunningEngine>();
const engineOf = (keys: string, values: string): RunningEngine => {
  const engine = engines.get(`${keys}/${values}`);
  if (engine === undefined) throw new Error('was not started');
  return engine;
};

beforeAll(async () => {
  for (const [keys, values] of CACHES)
    engines.set(
      `${keys}/${values}`,
      await spawnEngine(['--ctx', '1024', '--slots', '1', '--cache-type-k', keys, '--cache-type-v', values]),
    );
});
afterAll(async () => {
  await Promise.all([...engines.values()].map((engine) => engine.stop()));
});

describe.each(CACHES)('a cache of %s keys and %s values', (keys, values) => {
  it('is what the engine says that it has, rotated when it is quantized', async () => {
    const { url, output } = engineOf(keys, values);
    const rotated = keys !== 'f16';
    expect(output).toContain(`keys ${keys}, values ${values}${rotated ? ', rotated' : ''};`);
    expect(await (await fetch(`${url}/props`)).json()).toMatchObject({ cache_type_k: keys, cache_type_v: values, cache_rotated: rotated });
  });

  it('gives the same text and the same logprobs to the same request', async () => {
    const wishes = { logprobs: true, top_logprobs: 5, max_tokens: 200 };
    const [first, second] = [await ask(engineOf(keys, values), wishes), await ask(engineOf(keys, values), wishes)];
    expect(textOf(first)).toHaveLength(200);
    expect(second.choices).toEqual(first.choices);
  });
});

describe('a canary', () => {
  const WISHES = { logprobs: true, top_logprobs: 5, max_tokens: 200 };

  it('tells q4_0 from f16 by the greedy text alone', async () => {
    const [full, quantized] = [await ask(engineOf('f16', 'f16'), WISHES), await ask(engineOf('q4_0', 'q4_0'), WISHES)];
    expect(textOf(quantized)).not.toBe(textOf(full));
  });

  it('sees by the logprob of the first token that q4_0 is further from f16 than q8_0 is', async () => {
    const first = async (keys: string, values: string): Promise<number[]> => {
      const said = await ask(engineOf(keys, values), { ...WISHES, max_tokens: 1 });
      const top = said.choices[0].logprobs?.content[0]?.top_logprobs ?? [];
      return top.toSorted((left, right) => left.token.localeCompare(right.token)).map(({ logprob }) => logprob);
    };
    const full = await first('f16', 'f16');
    const distanceOf = (others: number[]): number => Math.max(...others.map((logprob, place) => Math.abs(logprob - (full[place] ?? 0))));
    const [q8, q4] = [distanceOf(await first('q8_0', 'q8_0')), distanceOf(await first('q4_0', 'q4_0'))];
    expect(q8).toBeGreaterThan(0);
    expect(q4).toBeGreaterThan(q8);
  });
});
