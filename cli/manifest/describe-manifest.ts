/** What a manifest holds, in words. */
import type { Manifest } from '#schema/manifest';
import { sayNumberOf } from '../quantities.ts';

/** Counts, such as `17 endpoints, 3 policies, 1 team`. */
export function countManifest({ endpoints, policies, teams }: Pick<Manifest, 'endpoints' | 'policies' | 'teams'>): string {
  return [
    sayNumberOf(endpoints.length, 'endpoint'),
    sayNumberOf(Object.keys(policies).length, 'policy', 'policies'),
    sayNumberOf(teams.length, 'team'),
  ].join(', ');
}
