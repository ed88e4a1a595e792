import { describe, expect, it } from 'vitest';
import { sayKeptManifest } from '#cli/dev/kept-manifest';

const at = new Date(2027, 0, 31, 18, 2).getTime();

describe('a kept manifest', () => {
  it('is named with its version, time and author, and how to have another', () => {
    const kept = { version: 3, appliedAtMs: at, by: 'admin' };
    expect(sayKeptManifest(kept, at + 60_000)).toBe('version 3, applied 18:02 by key admin; --config FILE applies another');
    expect(sayKeptManifest(kept, at + 86_400_000)).toBe('version 3, applied 2027-01-31 18:02 by key admin; --config FILE applies another');
  });
});
