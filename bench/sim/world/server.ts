/** One endpoint as a machine with its visitors. */
import type { Clock } from '../clock.ts';
import type { CallOrder, CallRecord, EndpointUse, LiveCall, SimEndpoint } from '../contract.ts';
import { toErrand } from './errand.ts';
import { drawLuck } from './luck.ts';
import { createPrefixCache } from './prefix-cache.ts';
import { createSlots } from './slots.ts';
import type { Timeline } from './timeline.ts';
import { visit, type Machine } from './visit.ts';

export interface Server {
  /** Calls the endpoint; `attempt` numbers the calls of one request to it. The record is written as the call goes. */
  call(order: CallOrder, attempt: number): { live: LiveCall; record: CallRecord };
  use(): EndpointUse;
}

/** Starts a machine with nothing to do. */
export function createServer(endpoint: SimEndpoint, { clock, timeline, seed }: { clock: Clock; timeline: Timeline; seed: number }): Server {
  const records: CallRecord[] = [];
  const machine: Machine = {
    endpoint,
    clock,
    slots: createSlots(endpoint, clock.now),
    cache: endpoint.cache === null ? null : createPrefixCache(endpoint.cache),
    weather: ({ promptTokens, isCanary }, { spells }) =>
      timeline.meet(endpoint.id, { atMs: clock.now(), promptTokens, isCanary, random: spells }),
  };

  return {
    call(order, attempt) {
      const startedAtMs = clock.now();
      const record: CallRecord = {
        endpointId: endpoint.id,
        role: order.role,
        startedAtMs,
        endedAtMs: startedAtMs,
        ttftMs: null,
        tokens: 0,
        outcome: 'cancelled',
        billedNanoUsd: 0,
      };
      records.push(record);
      const live = visit(machine, {
        errand: toErrand(order),
        luck: drawLuck(endpoint, { seed, requestId: order.request?.id ?? 'canary', attempt }),
        listener: order.listener,
        price: timeline.priceAt(endpoint.id, startedAtMs),
        record,
      });
      return { live, record };
    },
    use: () => ({
      endpointId: endpoint.id,
      operatorId: endpoint.operatorId,
      slots: endpoint.slots,
      busySlotMs: machine.slots.busyMs(),
      calls: records.length,
      deliveredTokens: records.reduce((sum, { tokens }) => sum + tokens, 0),
      billedNanoUsd: records.reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, 0),
    }),
  };
}
