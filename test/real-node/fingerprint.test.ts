import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '#devnet/random';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import type { KvCodec } from '#schema/catalog';
import { fingerprintRequest } from '#src/jobs/ask-fingerprint';
import { compareWith, type Fingerprinted } from '#src/nodes/probe/compare';
import { readFingerprint } from '#src/nodes/probe/fingerprint';
import { post } from './ask.ts';

const CACHES = [
  ['f16', 'f16', 'fp16'],
  ['q8_0', 'q8_0', 'q8_0'],
  ['q4_0', 'q4_0', 'q4_0'],
  ['q8_0', 'q4_0', 'q8_0/q4_0'],
] as const;
const ROUNDS = 5;
const PROMPTS = 4;

let engines: { engine: RunningEngine; kvCache: KvCodec }[] = [];
beforeAll(async () => {
  engines = await Promise.all(
    CACHES.map(async ([keys, values, kvCache]) => ({
      engine: await spawnEngine(['--ctx', '4096', '--slots', '1', '--cache-type-k', keys, '--cache-type-v', values]),
      kvCache,
    })),
  );
});
afterAll(async () => {
  await Promise.all(engines.map(({ engine }) => engine.stop()));
});

async function fingerprintOf(place: number, seed: number): Promise<Fingerprinted> {
  const { engine, kvCache } = engines[place] as (typeof engines)[number];
  const random = createRandom(seed);
  const answers = [];
  for (let prompt = 0; prompt < PROMPTS; prompt++) {
    const { model: _model, ...request } = fingerprintRequest('tiny-llama', random);
    const said = (await (await post(engine, 'chat/completions', { model: 'tiny-llama', ...request })).json()) as {
      choices: { logprobs: unknown }[];
    };
    const fingerprint = readFingerprint(said.choices[0]?.logprobs);
    if (fingerprint === null) throw new Error('a real engine tells its log probabilities');
    answers.push(fingerprint);
  }
  return { answers, quantization: 'fp16', kvCache };
}

describe('a real model behind quantized caches', () => {
  it.each(CACHES.slice(1).map(([keys, values], place) => [keys, values, place + 1] as const))(
    'V: with %s keys and %s values is taken for what it is, time after time',
    async (_keys, _values, place) => {
      for (let round = 0; round < ROUNDS; round++) {
        const [ours, theirs] = [await fingerprintOf(place, round), await fingerprintOf(0, round)];
        const { verdict, distance, tolerance } = compareWith(ours, [{ ...theirs, isSure: true }], { before: null, nowMs: 0 });
        expect({ verdict, isFar: (distance ?? 1) > (tolerance ?? 0) / 2 }).toEqual({ verdict: 'agrees', isFar: false });
      }
    },
  );

  it('V: that was asked something else is not, so that the comparison can tell', async () => {
    const [ours, theirs] = [await fingerprintOf(1, 1), await fingerprintOf(0, 2)];
    expect(compareWith(ours, [{ ...theirs, isSure: true }], { before: null, nowMs: 0 }).verdict).toBe('differs');
  });
});
