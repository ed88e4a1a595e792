import { describe, expect, it } from 'vitest';
import { withDeclared } from '#cli/node/declared';
import { describeNode } from '#cli/node/describe';
import type { Detected } from '#cli/node/engines/detect';
import { modelNamed, type EngineModel } from '#cli/node/engines/engine';
import { vllm } from '#cli/node/engines/vllm';
import type { Look } from '#cli/node/look-around';
import { standAnew } from '#cli/node/stand-anew';

const NOTHING_SAID = { codec: null, poolTokens: null };
const NOTHING_NAMED = { wishes: [], declared: NOTHING_SAID };
const SPEED = { ttftMs: 50, tpotMs: 10, throughput: null };

const foundOf = (models: readonly EngineModel[], version = '0.32.0'): Detected => ({ adapter: vllm, version, models });

function lookOf(...models: EngineModel[]): Look {
  const found = foundOf(models);
  const served = models.map((facts) => ({ model: `served/${facts.upstreamModel}`, facts }));
  const measured = new Map(models.map(({ upstreamModel }) => [upstreamModel, SPEED]));
  return { found, gpu: null, served, measured, description: describeNode({ found, gpu: null, served, measured, predicted: new Map() }) };
}

const a = modelNamed('a', { context: 8_192, kvCache: 'fp8', capacity: { poolTokens: 1_000, maxSequences: 4 } });
const b = modelNamed('b', { context: 4_096 });
const namesOf = ({ look }: { look: Look }) => look.served.map(({ model }) => model);

describe('a node whose engine is looked at again', () => {
  it('is what it was where nothing has changed', () => {
    const before = { look: lookOf(a, b), trouble: null };
    expect(standAnew(before, foundOf([a, b]), NOTHING_NAMED)).toEqual(before);
    expect(standAnew(before, foundOf([a, b]), NOTHING_NAMED).look).toBe(before.look);
  });

  it('serves what is left of its models, and what is new only when it is asked to', () => {
    const next = standAnew({ look: lookOf(a, b), trouble: null }, foundOf([b, modelNamed('c')]), NOTHING_NAMED);
    expect(namesOf(next)).toEqual(['served/b']);
    expect(next.trouble).toBeNull();
    expect(next.look.description.models.map(({ upstreamModel }) => upstreamModel)).toEqual(['b']);
  });

  it('serves the model in the place of its only one, under its own name', () => {
    expect(namesOf(standAnew({ look: lookOf(a), trouble: null }, foundOf([modelNamed('Qwen/Qwen3-14B')]), NOTHING_NAMED))).toEqual([
      'qwen/qwen3-14b',
    ]);
  });

  it('waits for the model that was named, and serves it when it is back', () => {
    const wishes = [{ served: 'served/a', upstream: 'a' }];
    const before = { look: lookOf(a), trouble: null };
    const waiting = standAnew(before, foundOf([b]), { wishes, declared: NOTHING_SAID });
    expect(waiting).toMatchObject({ look: before.look, trouble: 'its vLLM does not have its model now' });
    expect(standAnew(waiting, foundOf([a]), { wishes, declared: NOTHING_SAID })).toMatchObject({ trouble: null });
  });

  it('tells of a shorter context or another cache, and forgets what was measured of the former', () => {
    const next = standAnew(
      { look: lookOf(a, b), trouble: null },
      foundOf([{ ...a, context: 2_048, kvCache: 'turboquant_4bit_nc' }, b]),
      NOTHING_NAMED,
    );
    const [first, second] = next.look.description.models;
    expect(first).toMatchObject({ context: 2_048, kvCache: 'turboquant_4bit_nc', measured: null });
    expect(second).toMatchObject({ measured: SPEED });
  });

  it('tells of an upgrade, after which no measurement counts', () => {
    const next = standAnew({ look: lookOf(a), trouble: null }, foundOf([a], '0.33.0'), NOTHING_NAMED);
    expect(next.look.description).toMatchObject({ engine: { version: '0.33.0' }, models: [{ measured: null }] });
  });

  it('takes a model that is not in memory now for the same', () => {
    const before = { look: lookOf(a), trouble: null };
    const asleep = modelNamed('a', { isLoaded: false });
    expect(standAnew(before, foundOf([asleep]), NOTHING_NAMED).look).toBe(before.look);
  });

  it('keeps the codec that its operator names, also of another model, until the engine tells one', () => {
    const named = { wishes: [], declared: { ...NOTHING_SAID, codec: 'q8_0/q4_0' } } as const;
    const declared = { ...b, kvCache: 'q8_0/q4_0', isCodecDeclared: true } as const;
    const before = { look: lookOf(declared), trouble: null };
    expect(standAnew(before, foundOf([b]), named).look).toBe(before.look);
    const codecsOf = (models: readonly EngineModel[]) => standAnew(before, foundOf(models), named).look.served.map(({ facts }) => facts);
    expect(codecsOf([modelNamed('c')])).toMatchObject([{ kvCache: 'q8_0/q4_0', isCodecDeclared: true }]);
    const [told] = codecsOf([{ ...b, kvCache: 'fp16' }]);
    expect([told?.kvCache, told?.isCodecDeclared]).toEqual(['fp16', undefined]);
  });

  it.each([
    ['tells nothing of it', { poolTokens: null, maxSequences: 4 }, undefined],
    ['tells the least of it', { poolTokens: 4_096, maxSequences: 4 }, 'least'],
  ] as const)('keeps the pool that its operator names, with what was measured, where the engine %s', (_, capacity, poolSource) => {
    const now = { ...b, capacity, ...(poolSource && { poolSource }) };
    const named = { wishes: [], declared: { codec: 'q8_0', poolTokens: 8_192 } } as const;
    const before = { look: lookOf(withDeclared(now, named.declared)), trouble: null };
    expect(before.look.description.models[0]?.capacity.poolTokens).toBe(8_192);
    expect(standAnew(before, foundOf([now]), named).look).toBe(before.look);
    const told = standAnew(before, foundOf([{ ...b, capacity: { poolTokens: 6_000, maxSequences: 4 } }]), named).look;
    expect(told.served[0]?.facts).toMatchObject({ capacity: { poolTokens: 6_000 } });
    expect(told.served[0]?.facts.poolSource).toBeUndefined();
  });
});
