/** What a manifest holds, in words: how much, and what of it this version only keeps. */
import type { Manifest } from '#schema/manifest';

/** Counts, such as `17 endpoints, 3 policies, 1 team`. */
export function countManifest({ endpoints, policies, teams }: Pick<Manifest, 'endpoints' | 'policies' | 'teams'>): string {
  return [
    counted(endpoints.length, 'endpoint', 'endpoints'),
    counted(Object.keys(policies).length, 'policy', 'policies'),
    counted(teams.length, 'team', 'teams'),
  ].join(', ');
}

/** Names what is stored but not enforced yet, so that nobody relies on it: `limits of team research`. */
export function notEnforced({ teams }: Pick<Manifest, 'teams'>): string[] {
  return teams.filter((team) => team.limits !== undefined).map((team) => `limits of team ${team.id}`);
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
