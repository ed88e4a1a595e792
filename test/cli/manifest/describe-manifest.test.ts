import { expect, it } from 'vitest';
import { countManifest } from '#cli/manifest/describe-manifest';
import type { Manifest } from '#schema/manifest';

it('what a manifest holds is counted, one of a thing in the singular', () => {
  const manifest = { endpoints: [{}, {}], policies: { balanced: {} }, teams: [] } as unknown as Manifest;
  expect(countManifest(manifest)).toBe('2 endpoints, 1 policy, 0 teams');
});
