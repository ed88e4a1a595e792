import { beforeEach, describe, expect, it } from 'vitest';
import { readQuarantines } from '#src/nodes/register/quarantine-store';
import { recall } from '#src/nodes/register/recall';
import { NOW_MS } from '#test/support/fake-clock';
import { HONEST } from '../probe/fake-engine.ts';
import { openSupply, type Supply } from '../staged-supply.ts';

let supply: Supply;
beforeEach(() => {
  supply = openSupply();
  supply.operator('op');
  supply.endpoint('liar', { url: 'https://gpu.example.com/a', state: 'retired', sinceMs: 1 });
  for (const [from_state, to_state] of [
    ['active', 'quarantined'],
    ['quarantined', 'retired'],
  ])
    supply.insert('registration_events', { endpoint_id: 'liar', at_ms: 1, from_state, to_state, actor: 'key-admin' });
});

const find = async (over: { url?: string; pathsDiffer?: boolean; modelId?: string; upstreamModel?: string; operatorId?: string } = {}) => {
  const { url = 'https://gpu.example.com/b', pathsDiffer = false, operatorId = 'op', ...wish } = over;
  const quarantines = await readQuarantines(supply.db, { operatorId, ids: ['new'], url, pathsDiffer, nowMs: NOW_MS });
  const { caught } = recall(
    { quarantines, differences: [] },
    { id: 'new', modelId: 'another', upstreamModel: HONEST.model, ...wish },
    null,
  );
  return caught?.endpointId ?? null;
};

describe('a quarantine that its operator has left by retiring', () => {
  it('follows the model on every path of its host', async () => {
    expect(await find()).toBe('liar');
    expect(await find({ url: 'https://gpu.example.com' })).toBe('liar');
    expect(await find({ url: 'https://gpu.example.com.elsewhere.example/a' })).toBeNull();
    expect(await find({ url: 'https://other.example.com/a' })).toBeNull();
  });

  it('stays with the path where each is another machine', async () => {
    expect(await find({ pathsDiffer: true })).toBeNull();
    expect(await find({ pathsDiffer: true, url: 'https://gpu.example.com/a' })).toBe('liar');
  });

  it('follows the model by either of its names: what the engine calls it costs nothing to change', async () => {
    const { modelId } = (await supply.read('liar')).endpoint;
    expect(await find({ upstreamModel: 'renamed' })).toBeNull();
    expect(await find({ upstreamModel: 'renamed', modelId })).toBe('liar');
  });

  it('is no other operator’s', async () => {
    expect(await find({ operatorId: 'other' })).toBeNull();
  });
});
