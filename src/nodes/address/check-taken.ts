/** Refuses ids and addresses that somebody has already. */
import { GatewayError } from '#schema/error';
import type { OrUnavailable } from '#schema/or-unavailable';
import { readTaken } from '../join/enrol-store.ts';
import { readShared, type Place } from './shared-address-store.ts';
import { sharedAddress } from './shared-address.ts';

/** Both throw GatewayError `conflict` with `param`, and what `ask` throws. */
export interface TakenCheck {
  refuseTaken(id: string, operatorId: string): Promise<void>;
  refuseShared(place: Place): Promise<void>;
}

/** Prepares the check. */
export function createTakenCheck({ db, ask }: { db: D1Database; ask: OrUnavailable }): TakenCheck {
  return {
    async refuseTaken(id, operatorId) {
      if ((await ask(readTaken(db, [id], operatorId, null))).length > 0)
        throw new GatewayError('conflict', 'There is an endpoint or provider of that id: choose another.', { param: 'id' });
    },
    async refuseShared(place) {
      const occupant = await ask(readShared(db, place));
      if (occupant !== null) throw sharedAddress(occupant, place);
    },
  };
}
