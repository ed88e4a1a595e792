import { describe, expect, it } from 'vitest';
import { countManifest, notEnforced } from '#cli/describe-manifest';
import type { Manifest } from '#schema/manifest';

const MANIFEST = {
  endpoints: [{}, {}],
  policies: { balanced: {} },
  teams: [
    { id: 'research', limits: { concurrent: 4 }, keys: [{ name: 'ci', budget: { usd: 5, per: 'day' } }, { name: 'dev' }] },
    { id: 'web', keys: [] },
  ],
} as unknown as Manifest;

describe('what a manifest holds', () => {
  it('counts one of a thing in the singular', () => {
    expect(countManifest(MANIFEST)).toBe('2 endpoints, 1 policy, 2 teams');
  });

  it('names every limit that is stored but not enforced, and nothing else', () => {
    expect(notEnforced(MANIFEST)).toEqual(['limits of team research']);
    expect(notEnforced({ teams: [] })).toEqual([]);
  });
});
