/** What holds for every model, card and codec, and for whatever somebody calls a config.json. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateCapacity, type CapacityEstimate, type CapacityInput } from '#src/nodes/capacity/estimate';
import { findModel, MODEL_NAMES } from '#src/nodes/capacity/find-model';
import { findGpu, GPU_NAMES } from '#src/nodes/capacity/gpus';
import { CODEC_NAMES, findCodec } from '#src/nodes/capacity/kv-codecs';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { readModelConfig } from '#src/nodes/capacity/read-config';
import { findWeightFormat, weightBytes, WEIGHT_FORMAT_NAMES } from '#src/nodes/capacity/weight-formats';
import { PUBLISHED_CONFIGS } from './published-configs.ts';
import { STATE_CONFIGS } from './state-configs.ts';

const question = fc.record({
  model: fc.constantFrom(...MODEL_NAMES).map(findModel),
  gpu: fc.constantFrom(...GPU_NAMES).map((name) => findGpu(name).gpu),
  gpuCount: fc.constantFrom(1, 2, 4, 8),
  weights: fc.constantFrom(...WEIGHT_FORMAT_NAMES).map(findWeightFormat),
  codec: fc.constantFrom(...CODEC_NAMES).map(findCodec),
  contextTokens: fc.integer({ min: 1, max: 300_000 }),
  inputTokens: fc.integer({ min: 1, max: 100_000 }),
  outputTokens: fc.integer({ min: 1, max: 10_000 }),
});

/** Null where the engine would refuse. */
function tryEstimating(input: CapacityInput): CapacityEstimate | null {
  try {
    return estimateCapacity(input);
  } catch (error) {
    if (error instanceof CapacityProblem) return null;
    throw error;
  }
}

/** Lists every number of an answer, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe('every estimate', () => {
  it('is finite and never negative', () => {
    fc.assert(
      fc.property(question, (input) => {
        const numbers = numbersIn(tryEstimating(input));
        expect(numbers.filter((value) => !Number.isFinite(value) || value < 0)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('holds as many sequences as fit into its pool, and not one more', () => {
    fc.assert(
      fc.property(question, (input) => {
        const answer = tryEstimating(input);
        if (answer === null) return;
        const perReplica = answer.sequences / (answer.gpuCount / answer.tensorParallel);
        expect(perReplica * answer.kvBytesPerSequence).toBeLessThanOrEqual(answer.poolBytes);
        expect((perReplica + 1) * answer.kvBytesPerSequence).toBeGreaterThan(answer.poolBytes);
        expect(answer.sequences > 0).toBe(answer.contextTokensMax >= answer.contextTokens);
      }),
      { numRuns: 500 },
    );
  });

  it('holds more with a smaller cache, and less with larger weights', () => {
    fc.assert(
      fc.property(question, (input) => {
        const [bf16, fp8] = ['bf16', 'fp8'].map((name) => tryEstimating({ ...input, codec: findCodec(name), engine: 'vllm' }));
        expect(fp8?.poolTokens).toBeGreaterThanOrEqual(bf16?.poolTokens ?? Infinity);
        const [light, heavy] = [1, 20].map((weightsGib) => tryEstimating({ ...input, weightsGib }));
        if (light !== undefined && light !== null) expect(heavy?.poolTokens).toBeLessThanOrEqual(light.poolTokens);
      }),
      { numRuns: 300 },
    );
  });

  it('costs less a token the more requests there are', () => {
    fc.assert(
      fc.property(question, (input) => {
        const prices = (tryEstimating(input)?.batches ?? []).map(({ usdPerMillionOutputTokens: usd }) => usd);
        for (const [index, usd] of prices.slice(1).entries()) expect(usd).toBeLessThan((prices[index] ?? 0) * 1.001);
      }),
      { numRuns: 300 },
    );
  });
});

describe('no machine', () => {
  /** Bytes of a dense model that every step reads on one GPU; a mixture reads part of its experts. */
  const readEveryStep = ({ model, weights }: CapacityInput, tensorParallel: number): number =>
    model.parameters === null ? 0 : weightBytes(model, weights, null).denseRead / tensorParallel;

  it("decodes faster than it reads its weights and everybody's cache, or computes its batch, at the peaks of its card", () => {
    fc.assert(
      fc.property(question, (input) => {
        const answer = tryEstimating(input);
        const { gpu, weights, inputTokens } = input;
        const { parameters } = input.model;
        if (answer === null || parameters === null) return;
        const replicas = answer.gpuCount / answer.tensorParallel;
        const flops = (weights.arithmetic === 'fp8' ? (gpu.flopsFp8 ?? gpu.flopsFp16) : gpu.flopsFp16) * answer.gpuCount;
        const flopsPerToken = 2 * (parameters.active - parameters.embedding - parameters.lookedUp);
        for (const { batch, decodeTokensPerSecond, tpotMs } of answer.batches) {
          const stepMs = (1000 * batch) / decodeTokensPerSecond;
          const cacheBytes = Math.floor(batch / replicas) * inputTokens * answer.kvBytesPerToken;
          expect(stepMs).toBeGreaterThan((1000 * (readEveryStep(input, answer.tensorParallel) + cacheBytes)) / gpu.bandwidthBytesPerSecond);
          expect(stepMs).toBeGreaterThan((1000 * flopsPerToken * batch) / flops);
          expect(tpotMs).toBeGreaterThanOrEqual(stepMs * 0.999_999);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads a prompt faster than its weights, however short the prompt is, nor computes it faster than its card can', () => {
    fc.assert(
      fc.property(question, fc.integer({ min: 1, max: 2000 }), (input, inputTokens) => {
        const answer = tryEstimating({ ...input, inputTokens });
        if (answer === null || answer.prefillTokensPerSecond === 0 || input.model.parameters === null) return;
        const ms = (1000 * inputTokens) / answer.prefillTokensPerSecond;
        expect(ms).toBeGreaterThan((1000 * readEveryStep(input, answer.tensorParallel)) / input.gpu.bandwidthBytesPerSecond);
        expect(answer.ttftMs).toBeGreaterThan(ms);
      }),
      { numRuns: 300 },
    );
  });

  it('answers slower in all when more requests are served at once', () => {
    fc.assert(
      fc.property(question, (input) => {
        const rates = (tryEstimating(input)?.batches ?? []).map(({ outputTokensPerSecond }) => outputTokensPerSecond);
        for (const [index, rate] of rates.slice(1).entries()) expect(rate).toBeGreaterThanOrEqual((rates[index] ?? 0) * 0.999);
      }),
      { numRuns: 300 },
    );
  });
});

describe('every config.json', () => {
  const config = fc.constantFrom(...[...PUBLISHED_CONFIGS, ...STATE_CONFIGS].map((entry) => entry.config as Record<string, unknown>));
  const junk = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0, 0.5, 1e12, Number.MAX_SAFE_INTEGER, '', null, [], {}));

  it('is read, or refused in words: never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.tuple(config, fc.nat(), junk)), (given) => {
        const json = Array.isArray(given) && given.length === 3 ? spoil(given as [Record<string, unknown>, number, unknown]) : given;
        try {
          const model = readModelConfig(json, 'test');
          expect(model.layers.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CapacityProblem);
          expect((error as Error).message.length).toBeLessThan(400);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Puts something else into one field. */
function spoil([config, position, value]: [Record<string, unknown>, number, unknown]): unknown {
  const fields = typeof config === 'object' && config !== null ? Object.keys(config) : [];
  return fields.length === 0 ? config : { ...config, [fields[position % fields.length] ?? '']: value };
}
