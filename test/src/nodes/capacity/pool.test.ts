/** Pools against what engines logged and what was published for both cards. */
import { describe, expect, it } from 'vitest';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { ask } from './ask.ts';

/** A pool whose size an engine printed. */
const logged = { weightsGib: 0, reserveGib: 0, utilization: 1 };

function expectNear(found: number, wanted: number, share: number): void {
  expect(Math.abs(found / wanted - 1), `${found} is near ${wanted}`).toBeLessThan(share);
}

describe('what engines logged', () => {
  it.each([
    ['bf16', 83_488, 2.55],
    ['fp8', 166_992, 5.1],
  ])('holds in %s what vLLM reported for Qwen3-4B on an L4, within 0.1 %%', (kv, tokens, concurrency) => {
    const { poolTokens } = ask({ model: 'qwen3-4b', gpu: 'l4', kv }, { ...logged, totalGib: 11.47 });
    expectNear(poolTokens, tokens, 0.001);
    expect(poolTokens / 32_768).toBeCloseTo(concurrency, 1);
  });

  it('holds on a 4090 the 117 requests that were measured to run at once', () => {
    const setting = {
      utilization: 0.9,
      totalGib: 23.99,
      weightsGib: 15.27,
      reserveGib: 1.2,
      inputTokens: 217,
      outputTokens: 202,
      contextTokens: 8192,
    };
    const { poolTokens, batch } = ask({ model: 'qwen3-8b', gpu: 'rtx-4090' }, setting);
    expectNear(poolTokens, 37_289, 0.001);
    expect(batch).toBe(117);
  });

  it.each([
    [
      'rtx-4090',
      { model: 'qwen3-8b', weights: 'fp8' },
      { weightsGib: 8.8 },
      [
        ['bf16', 84_748, 10, 2],
        ['fp8', 169_496, 20, 5],
        ['turboquant_4bit_nc', 220_061, 26, 6],
        ['turboquant_3bit_nc', 262_482, 32, 8],
      ],
    ],
    [
      'rtx-4090',
      { model: 'qwen3-30b-a3b', weights: 'awq' },
      { weightsGib: 15.8 },
      [
        ['bf16', 50_663, 6, 1],
        ['fp8', 101_327, 12, 3],
        ['turboquant_4bit_nc', 114_497, 13, 3],
        ['turboquant_3bit_nc', 139_162, 16, 4],
      ],
    ],
    [
      'rtx-4090',
      { model: 'qwen3-32b', weights: 'awq' },
      { weightsGib: 18, utilization: 0.95 },
      [
        ['bf16', 12_877, 1, 0],
        ['fp8', 25_755, 3, 0],
        ['turboquant_4bit_nc', 25_199, 3, 0],
        ['turboquant_3bit_nc', 31_122, 3, 0],
      ],
    ],
    [
      'rtx-4090',
      { model: 'llama-3.1-8b' },
      {},
      [
        ['bf16', 44_879, 5, 1],
        ['fp8', 89_758, 10, 2],
        ['turboquant_4bit_nc', 97_849, 11, 2],
        ['turboquant_3bit_nc', 115_727, 14, 3],
      ],
    ],
    [
      'h100',
      { model: 'llama-3.1-8b' },
      { utilization: 0.9 },
      [
        ['bf16', 450_650, 55, 13],
        ['fp8', 901_300, 110, 27],
        ['turboquant_4bit_nc', 1_244_082, 151, 37],
        ['turboquant_3bit_nc', 1_471_386, 179, 44],
      ],
    ],
    [
      'h100',
      { model: 'llama-3.3-70b', weights: 'fp8' },
      { weightsGib: 67.7, utilization: 0.95 },
      [
        ['bf16', 18_122, 2, 0],
        ['fp8', 36_244, 4, 1],
        ['turboquant_4bit_nc', 46_968, 5, 1],
        ['turboquant_3bit_nc', 58_624, 7, 1],
      ],
    ],
  ] as const)('fits on a %s what worked examples say but for the rounding to blocks: %j', (gpu, question, setting, cells) => {
    for (const [kv, tokens, at8k, at32k] of cells) {
      const answer = ask({ ...question, gpu, kv }, { ...setting, contextTokens: 8192 });
      expectNear(answer.poolTokens, tokens, 0.0015);
      expect(answer.sequences, `${kv} at 8k`).toBe(at8k);
      expect(ask({ ...question, gpu, kv }, { ...setting, contextTokens: 32_768 }).sequences, `${kv} at 32k`).toBe(at32k);
    }
  });
});

describe('weights', () => {
  it.each([
    ['qwen3-8b', 'fp8', 8.8],
    ['qwen3-8b', 'bf16', 15.27],
    ['qwen3-30b-a3b', 'awq', 15.8],
    ['qwen3-32b', 'awq', 18],
    ['llama-3.1-8b', 'bf16', 14.96],
    ['llama-3.3-70b', 'fp8', 67.7],
    ['gpt-oss-20b', 'mxfp4', 12.8],
    ['gpt-oss-120b', 'mxfp4', 60.8],
  ])('of %s in %s take %d GiB, as the files do within 2 %%', (model, weights, gib) => {
    expectNear(ask({ model, gpu: 'b200', weights }, { contextTokens: 1024 }).weightsBytes / 2 ** 30, gib, 0.02);
  });

  it('that do not fit are an answer of zeros, not an error', () => {
    const answer = ask({ model: 'llama-3.3-70b', gpu: 'rtx-4090', weights: 'bf16' });
    expect(answer).toMatchObject({ poolBytes: 0, poolTokens: 0, sequences: 0, batch: 0, decodeTokensPerSecond: 0, limit: 'weights' });
    expect(answer.usdPerMillionOutputTokens).toBeNull();
  });

  it('that leave less than one sequence say how long one could be', () => {
    const answer = ask({ model: 'qwen3-32b', gpu: 'rtx-4090', weights: 'awq' }, { contextTokens: 32_768 });
    expect(answer).toMatchObject({ sequences: 0, batch: 0, limit: 'pool' });
    expect(answer.contextTokensMax).toBeGreaterThanOrEqual(answer.poolTokens);
    expect(answer.contextTokensMax).toBeLessThan(answer.poolTokens + 16);
  });
});

describe('several GPUs', () => {
  it('divide weights and heads, so that a token takes half on each of two', () => {
    const one = ask({ model: 'llama-3.1-8b', gpu: 'h100' });
    const two = ask({ model: 'llama-3.1-8b', gpu: 'h100x2' });
    expect(two.kvBytesPerToken).toBe(one.kvBytesPerToken / 2);
    expect(two.weightsBytes).toBe(Math.round(one.weightsBytes / 2));
    expect(two.poolTokens).toBeGreaterThan(2 * one.poolTokens);
  });

  it('keep a copy of a head each where there are fewer heads than GPUs', () => {
    const four = ask({ model: 'qwen3-30b-a3b', gpu: 'h100x4' }).kvBytesPerToken;
    expect(ask({ model: 'qwen3-30b-a3b', gpu: 'h100x8' }).kvBytesPerToken).toBe(four);
  });

  it('keep the whole latent each', () => {
    expect(ask({ model: 'deepseek-v3', gpu: 'h200x8' }).kvBytesPerToken).toBe(70_272);
  });

  it('that repeat the model hold as many times more', () => {
    const one = ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8' });
    const two = ask({ model: 'qwen3-8b', gpu: 'rtx-4090x2', weights: 'fp8' }, { tensorParallel: 1 });
    expect(two.poolTokens).toBe(2 * one.poolTokens);
    expect(two.outputTokensPerSecond).toBeCloseTo(2 * one.outputTokensPerSecond, 6);
    expect(two.usdPerMillionOutputTokens).toBeCloseTo(one.usdPerMillionOutputTokens ?? 0, 9);
  });

  it('that cannot be divided so are refused', () => {
    expect(() => ask({ model: 'qwen3-8b', gpu: 'rtx-4090x3' }, { tensorParallel: 2 })).toThrow(CapacityProblem);
  });
});

describe('engines', () => {
  it('allocate in blocks of 16 under vLLM, token by token under llama.cpp', () => {
    expect(ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8' }).poolTokens % 16).toBe(0);
    const { poolTokens, poolBytes, kvBytesPerToken } = ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'q4_k_m', kv: 'q8_0' });
    expect(poolTokens).toBe(Math.floor(poolBytes / kvBytesPerToken));
  });

  it.each([
    ['vllm', 'q8_0'],
    ['llama-cpp', 'fp8'],
    ['sglang', 'turboquant_4bit_nc'],
  ] as const)('refuse a codec that they do not have: %s %s', (engine, kv) => {
    expect(() => ask({ model: 'qwen3-8b', gpu: 'rtx-4090', kv }, { engine })).toThrow(`${engine} has no KV codec ${kv}`);
  });

  it('pay for TurboQuant with a workspace of 1.25 GiB', () => {
    const pools = ['fp8', 'turboquant_4bit_nc'].map((kv) => ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8', kv }).poolBytes);
    expect((pools[0] ?? 0) - (pools[1] ?? 0)).toBe(1.25 * 2 ** 30);
  });
});

describe('assumptions', () => {
  it('name every value that nobody stated, and none that somebody did', () => {
    const names = ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8' }).assumptions.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['engine', 'totalGib', 'utilization', 'reserveGib', 'weightsGib', 'contextTokens', 'batch', 'usdPerGpuHour']),
    );
    const stated = ask(
      { model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8' },
      { utilization: 0.9, reserveGib: 1, totalGib: 24, weightsGib: 9, batch: 4 },
    );
    const left = stated.assumptions.map(({ name }) => name);
    for (const name of ['utilization', 'reserveGib', 'totalGib', 'weightsGib', 'batch']) expect(left).not.toContain(name);
  });

  it('take an engine to run as many at once as somebody asks for', () => {
    const question = { model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'q4_k_m', kv: 'q8_0' };
    expect([ask(question).batch, ask(question, { batch: 32 }).batch, ask(question, { batch: 32, maxSequences: 8 }).batch]).toEqual([
      4, 32, 8,
    ]);
  });

  it('say when more requests are asked for than are held at once', () => {
    const answer = ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8' }, { batch: 100_000 });
    expect(answer.batch).toBeLessThan(1000);
    expect(answer.assumptions.find(({ name }) => name === 'batch')?.why).toContain('others wait');
  });
});

describe('a pool that is stated', () => {
  const notesOf = (poolGib: number) =>
    ask({ model: 'qwen3-8b', gpu: 'rtx-4090' }, { poolGib }).assumptions.filter(({ name }) => name === 'poolGib');

  it('is taken as it is, and noted where the card cannot have it beside the weights', () => {
    expect(notesOf(8.2)).toEqual([]);
    expect(notesOf(8_800)).toEqual([{ name: 'poolGib', value: 8_800, why: expect.stringContaining('in GiB') as string }]);
  });
});
