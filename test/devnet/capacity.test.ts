import { expect, test } from 'vitest';
import { decodeStepMs, kvBytesPerToken, poolTokens, type NodeFacts } from '#devnet/capacity';
import { FLEET } from '#devnet/fleet';

function nodeOf(id: string): NodeFacts {
  const node = FLEET.find((card) => card.id === id)?.node;
  if (!node) throw new Error(`${id} is no node`);
  return node;
}

test('bytes per token follow the slot layout of each codec', () => {
  const rig = nodeOf('rig-4090-a');
  expect(kvBytesPerToken({ ...rig, cacheDtype: 'bf16' })).toBe(147_456);
  expect(kvBytesPerToken({ ...rig, cacheDtype: 'fp8' })).toBe(73_728);
  expect(kvBytesPerToken(rig)).toBe(50_688);
  expect(kvBytesPerToken(nodeOf('rack-h100-a'))).toBe(131_072);
});

test('the pool of a 4090 with Qwen3-8B in fp8 holds what the capacity model predicts, in whole blocks', () => {
  const rig = nodeOf('rig-4090-a');
  expect(poolTokens(rig)).toBe(220_048);
  // Without TurboQuant there is no workspace to set aside.
  expect(poolTokens({ ...rig, cacheDtype: 'fp8', reserveGib: 1.2 })).toBe(169_488);
});

test('a decode step takes longer with more sequences and more cached tokens', () => {
  const rig = nodeOf('rig-4090-a');
  expect(decodeStepMs(rig, 16, 4800)).toBeGreaterThan(decodeStepMs(rig, 1, 300));
  expect(decodeStepMs(rig, 1, 30_000)).toBeGreaterThan(decodeStepMs(rig, 1, 300));
  expect(decodeStepMs(rig, 1, 30_000)).toBeGreaterThan(decodeStepMs({ ...rig, cacheDtype: 'bf16' }, 1, 30_000));
});
