/** Endpoints that no other test of the file uses: health outlives a test, so a used endpoint is no longer a clean one. */
import type { EndpointSpec } from './house.ts';

/** Names of a policy with little time, for tests of silence: the first of several attempts gets half of it. */
export const HASTY = 'hasty';

/** What a manifest needs beside the endpoints. */
export const POLICIES = { policies: { [HASTY]: { attempts: { max: 4, deadline_ms: 3000 } } } };

export interface EndpointPool {
  specs: EndpointSpec[];
  /** Hands out the next fresh endpoint ids. */
  take(count: number): string[];
}

/** Creates `size` endpoints with the same terms, called `name-0` and on. Throws when a file takes more than that. */
export function createPool(size: number, terms: Record<string, unknown> = {}, name = 'fresh'): EndpointPool {
  const specs = Array.from({ length: size }, (_, place) => ({ id: `${name}-${place}`, ...terms }));
  let taken = 0;
  return {
    specs,
    take(count) {
      const ids = specs.slice(taken, taken + count).map(({ id }) => id);
      if (ids.length < count) throw new Error(`the pool of ${size} endpoints is used up`);
      taken += count;
      return ids;
    },
  };
}

/** Restricts a request to these endpoints in this order. */
export function along(ids: readonly string[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return { provider: { order: ids, only: ids, ...more } };
}

/** The same, under the policy with little time. */
export function hastilyAlong(ids: readonly string[]): Record<string, unknown> {
  return along(ids, { policy: HASTY });
}
