import { expect, test } from 'vitest';
import { generationTimeMs, newGenerationId } from '#src/ledger/generation-id';
import { createRandom } from '#devnet/random';

test('an id tells when it was made', () => {
  expect(generationTimeMs(newGenerationId(1_795_000_000_123, createRandom(1)))).toBe(1_795_000_000_123);
});

test('ids sort by time', () => {
  const random = createRandom(2);
  const ids = [1, 35, 36, 1_600_000_000_000, 1_795_000_000_000, 1_795_000_000_001].map((nowMs) => newGenerationId(nowMs, random));
  expect(ids.toSorted()).toEqual(ids);
});

test('ids of one millisecond differ, at both ends of chance', () => {
  const random = createRandom(3);
  expect(new Set(Array.from({ length: 1000 }, () => newGenerationId(5, random))).size).toBe(1000);
  for (const edge of [0, 1 - Number.EPSILON]) expect(generationTimeMs(newGenerationId(5, () => edge))).toBe(5);
});

test('what is not an id has no time', () => {
  for (const id of ['', 'gen-', 'gen-1732000000-abc', "gen-0mgr0gw00-'; DROP TABLE", `${newGenerationId(1, () => 0)}0`]) {
    expect(generationTimeMs(id)).toBeNull();
  }
});
