/** What all cells of a run have in common: the traffic and the fleet, as plain data that can be handed to a thread. */
import type { Fleet, SimRequest } from '#bench/sim/contract';
import type { Replay } from './replay/replay.ts';
import { replayFleet } from './replay/replay-fleet.ts';
import { cutWindow, type Arrival } from './workloads/arrival.ts';
import { generateWorkload, WORKLOADS, type WorkloadName } from './workloads/generated.ts';
import { toRequests } from './workloads/to-requests.ts';
import { defaultFleet } from './world/default-fleet.ts';

const MINUTE_S = 60;

/** `count` and `minutesMax` are both limits; `speed` is a factor on the usual rate. */
export interface GeneratedTraffic {
  kind: 'generated';
  workload: WorkloadName;
  count: number;
  minutesMax: number;
  speed: number;
}

export type Traffic = GeneratedTraffic | { kind: 'trace'; arrivals: readonly Arrival[] };

export interface Supply {
  traffic: Traffic;
  /** Null: the built-in fleet. */
  replay: Replay | null;
}

/** Makes the requests of one seed; a trace is the same under every seed. */
export function requestsOf({ traffic }: Supply, seed: number): SimRequest[] {
  if (traffic.kind === 'trace') return toRequests(traffic.arrivals);
  const { workload, count, minutesMax, speed } = traffic;
  const perMinute = WORKLOADS[workload].rate * speed * MINUTE_S;
  // Half as many again as the minutes hold on average: bursty traffic comes when it likes.
  const enough = Math.min(count, Math.ceil(minutesMax * perMinute * 1.5) + 100);
  const arrivals = generateWorkload(workload, { seed, count: enough, speed });
  return toRequests(cutWindow(arrivals, { requestsMax: count, minutesMax, speed: 1 }));
}

/** Makes the fleet of one seed. */
export function fleetOf({ replay }: Supply, { seed, requests }: { seed: number; requests: readonly SimRequest[] }): Fleet {
  return replay === null ? defaultFleet(seed) : replayFleet(replay, { seed, requests });
}
