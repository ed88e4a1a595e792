/** Decode steps and throughput against published measurements, each within the deviation that the model is known to have there. */
import { describe, expect, it } from 'vitest';
import { expectedSpeed, type CapacityInput } from '#src/nodes/capacity/estimate';
import { additiveOverheadMs } from '#src/nodes/capacity/roofline';
import { ask, toQuestion, type Question } from './ask.ts';

const LLAMA: Question = { model: 'llama-3.1-8b', gpu: 'h100', weights: 'bf16' };

/** Milliseconds of a decode step of so many sequences that hold so many tokens. */
function stepMs(question: Question, batch: number, tokens: number, rest: Partial<CapacityInput> = {}): number {
  // An answer of two tokens holds one of them on average.
  const answer = ask(question, { batch, inputTokens: tokens, outputTokens: 2, contextTokens: tokens + 2, ...rest });
  expect(answer.batch, 'as many as were asked for fit').toBe(batch);
  return (1000 * batch) / answer.decodeTokensPerSecond;
}

describe('a decode step', () => {
  it.each([
    ['Llama-3.1-8B bf16 on an H100, empty', LLAMA, 1, 0, 6.44, 0.01],
    ['the same with 100k tokens', LLAMA, 1, 100_000, 10.81, 0.015],
    ['the same with an fp8 cache', { ...LLAMA, kv: 'fp8' }, 1, 100_000, 8.95, 0.03],
    ['the same, eight of 21k tokens', LLAMA, 8, 21_000, 15.18, 0.085],
    ['the same with an fp8 cache', { ...LLAMA, kv: 'fp8' }, 8, 21_000, 12.93, 0.215],
    ['gpt-oss-20b on an H100', { model: 'gpt-oss-20b', gpu: 'h100' }, 1, 0, 4.03, 0.01],
    ['the same, eight of 21k tokens', { model: 'gpt-oss-20b', gpu: 'h100' }, 8, 21_000, 8.09, 0.11],
    ['Qwen3-8B bf16 on an H100, four', { model: 'qwen3-8b', gpu: 'h100', weights: 'bf16' }, 4, 317, 7.38, 0.11],
    ['Llama-3-8B F16 on a 4090', { ...LLAMA, gpu: 'rtx-4090' }, 1, 512, 18.4, 0.02],
    ['Llama-3-8B Q4_K_M on a 4090', { ...LLAMA, gpu: 'rtx-4090', weights: 'q4_k_m', kv: 'fp16' }, 1, 512, 7.83, 0.05],
    ['Qwen3.8-27B Q4 on a 4090, q4_0 cache', { model: 'qwen3.8-27b', gpu: 'rtx-4090', weights: 'q4_k_m', kv: 'q4_0' }, 1, 1000, 27.7, 0.1],
  ] as const)('%s', (_title, question, batch, tokens, measuredMs, deviation) => {
    const predictedMs = stepMs(question, batch, tokens);
    expect(Math.abs(predictedMs / measuredMs - 1), `${predictedMs.toFixed(2)} against ${measuredMs}`).toBeLessThan(deviation);
  });

  it.each([
    [128, 3.2, 4.05, 4.01],
    [4096, 3.45, 5.25, 5.23],
    [16_384, 4.19, 8.94, 8.93],
    [40_800, 5.64, 16.26, 16.22],
  ])('TurboQuant adds to the measured bf16 step at %d tokens what was measured', (tokens, plainMs, predictedMs, measuredMs) => {
    // What a token adds to the measured bf16 step.
    const plainReadMs = ((5.64 - 3.2) / (40_800 - 128)) * tokens;
    const found = plainMs + additiveOverheadMs({ msPerLayer: 0.034, extraReads: 4, compressedLayers: 24, plainReadMs });
    expect(Math.abs(found - predictedMs)).toBeLessThan(0.02);
    expect(Math.abs(found - measuredMs)).toBeLessThan(0.05);
  });

  it.each([
    ['bf16', 128, 3.2, 0.01],
    ['bf16', 40_800, 5.64, 0.035],
    ['turboquant_4bit_nc', 128, 4.01, 0.02],
    ['turboquant_4bit_nc', 4096, 5.23, 0.035],
    ['turboquant_4bit_nc', 16_384, 8.93, 0.045],
    ['turboquant_4bit_nc', 40_800, 16.22, 0.055],
  ])('Qwen3-1.7B on an H100 PCIe with %s and %d tokens takes %d ms', (kv, tokens, measuredMs, deviation) => {
    const predictedMs = stepMs({ model: 'qwen3-1.7b', gpu: 'h100-pcie', kv }, 1, tokens);
    expect(Math.abs(predictedMs / measuredMs - 1), `${predictedMs.toFixed(2)} against ${measuredMs}`).toBeLessThan(deviation);
  });

  it.each([
    ['bf16', 1, 1.0],
    ['turboquant_4bit_nc', 64, 1.62],
  ])('70B on four H100s with %s at %d at once takes %d times the bf16 step', (kv, batch, ratio) => {
    const question = { model: 'llama-3.3-70b', gpu: 'h100x4', weights: 'bf16' };
    const found = stepMs({ ...question, kv }, batch, 1100) / stepMs(question, batch, 1100);
    expect(Math.abs(found / ratio - 1)).toBeLessThan(0.02);
  });

  it('never gets faster with TurboQuant, and slower the longer the context is', () => {
    const penalty = (tokens: number): number => stepMs({ ...LLAMA, kv: 'turboquant_4bit_nc' }, 1, tokens) - stepMs(LLAMA, 1, tokens);
    expect(penalty(100)).toBeGreaterThan(0);
    expect(penalty(50_000)).toBeGreaterThan(penalty(5000));
  });

  it('of a mixture reads more experts the more tokens there are, up to all of them', () => {
    const question = { model: 'qwen3-30b-a3b', gpu: 'h200', weights: 'bf16' };
    const [one, eight, many, more] = [1, 8, 256, 512].map((batch) => stepMs(question, batch, 0)) as [number, number, number, number];
    expect(eight).toBeGreaterThan(1.5 * one);
    expect(more - many).toBeLessThan(0.1 * many);
  });

  it('of a mixture costs less than a dense model of its size', () => {
    const mixture = stepMs({ model: 'qwen3-30b-a3b', gpu: 'h200', weights: 'bf16' }, 1, 0);
    expect(mixture).toBeLessThan(stepMs({ model: 'qwen3-32b', gpu: 'h200', weights: 'bf16' }, 1, 0) / 2);
  });
});

describe('throughput', () => {
  const chats = { inputTokens: 217, outputTokens: 202, contextTokens: 8192, utilization: 0.9, reserveGib: 1.2 };

  it.each([
    ['rtx-4090', { totalGib: 23.99, weightsGib: 15.27 }, 3869],
    ['h100', { batch: 800 }, 13_305],
  ])('of Qwen3-8B bf16 on a %s is what was measured, within 4 %%', (gpu, setting, totalTokensPerSecond) => {
    const { outputTokensPerSecond } = ask({ model: 'qwen3-8b', gpu, weights: 'bf16' }, { ...chats, ...setting });
    expect(Math.abs((outputTokensPerSecond * (1 + 217 / 202)) / totalTokensPerSecond - 1)).toBeLessThan(0.04);
  });

  it('counts prompts: a longer one leaves fewer tokens for answers', () => {
    const rates = [100, 1000, 10_000].map((inputTokens) => ask(LLAMA, { inputTokens, batch: 8 }).outputTokensPerSecond);
    expect(rates).toEqual(rates.toSorted((left, right) => right - left));
  });

  it('costs what an hour costs by the tokens of an hour', () => {
    const { outputTokensPerSecond, usdPerMillionOutputTokens, usdPerMillionTokens } = ask(
      { model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'bf16' },
      { ...chats, totalGib: 23.99, weightsGib: 15.27, usdPerGpuHour: 0.35 },
    );
    expect(usdPerMillionOutputTokens).toBeCloseTo(0.35 / 3600 / (outputTokensPerSecond / 1e6), 9);
    // As the measured saturation of the same card gives it.
    expect(Math.abs((usdPerMillionOutputTokens ?? 0) / 0.052 - 1)).toBeLessThan(0.05);
    expect(Math.abs((usdPerMillionTokens ?? 0) / 0.025 - 1)).toBeLessThan(0.05);
  });

  it('alone costs tens of times more a token than a full house', () => {
    const { batches } = ask({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'bf16' }, { ...chats, totalGib: 23.99, weightsGib: 15.27 });
    const ratio = (batches[0]?.usdPerMillionOutputTokens ?? 0) / (batches.at(-1)?.usdPerMillionOutputTokens ?? 1);
    expect(ratio).toBeGreaterThan(25);
    expect(ratio).toBeLessThan(45);
  });
});

describe('expected speed', () => {
  it('is that of one request of 1,150 tokens alone, whatever the workload', () => {
    const question = toQuestion({ model: 'qwen3-8b', gpu: 'rtx-4090', weights: 'fp8', kv: 'fp8' });
    const speed = expectedSpeed(question);
    expect(expectedSpeed({ ...question, inputTokens: 20_000, outputTokens: 1 })).toEqual(speed);
    expect(speed.tpotMs).toBeGreaterThan(9);
    expect(speed.tpotMs).toBeLessThan(14);
    expect(speed.ttftMs).toBeGreaterThan(50);
    expect(speed.ttftMs).toBeLessThan(250);
    expect(speed.throughput?.streams).toBeGreaterThan(100);
  });

  it('of 20,000 tokens on an H100 reaches the first one when it was measured, within 10 %', () => {
    expect(Math.abs((ask(LLAMA, { inputTokens: 20_000 }).ttftMs ?? 0) / 763 - 1)).toBeLessThan(0.1);
  });

  it('is unknown where nothing fits', () => {
    expect(expectedSpeed(toQuestion({ model: 'llama-3.3-70b', gpu: 'rtx-4090' }))).toEqual({
      ttftMs: null,
      tpotMs: null,
      throughput: null,
    });
  });
});
