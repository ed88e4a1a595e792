/** Fewest requests of the isolate's own, ties by chance: least-busy routing as gateways and proxies offer it. */
import { drawOne, leastOf } from './choice.ts';
import { createPending } from './pending.ts';
import type { Rival } from './rival.ts';

/** Joins the shortest queue that the isolate can see. */
export const LEAST_OUTSTANDING: Rival = {
  name: 'least-outstanding',
  description: 'fewest own requests in flight, ties by chance, two retries',
  manners: { retriesMax: 2 },
  open(stage) {
    const random = stage.random('least-outstanding');
    return () => {
      const pending = createPending();
      return {
        pick: (_request, candidates) =>
          drawOne(
            leastOf(candidates, ({ id }) => pending.of(id)),
            random,
          ) ?? null,
        sent: pending.sent,
        ended: pending.ended,
      };
    };
  },
};
