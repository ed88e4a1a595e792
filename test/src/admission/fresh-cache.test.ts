import { describe, expect, it } from 'vitest';
import { createFreshCache } from '#src/admission/fresh-cache';

describe('forgetting a key', () => {
  it('makes the next request ask, and drops what was being read before the change', async () => {
    let stored = 'old';
    const reads: { value: string; end(): void }[] = [];
    const cache = createFreshCache<string>({
      load: () => {
        const { promise, resolve } = Promise.withResolvers<string>();
        const value = stored;
        reads.push({ value, end: () => resolve(value) });
        return promise;
      },
      now: () => 0,
      lifetimeMs: 30_000,
      absenceMs: 5_000,
      staleMs: 59_000,
      timeoutMs: 2_000,
      capacity: 10,
    });
    const early = cache.get('k', () => undefined);
    stored = 'new';
    cache.forget('k');
    reads[0]?.end();
    expect(await early).toBe('old');
    const late = cache.get('k', () => undefined);
    reads[1]?.end();
    expect(await late).toBe('new');
    expect(await cache.get('k', () => undefined)).toBe('new');
    expect(reads).toHaveLength(2);
  });
});
