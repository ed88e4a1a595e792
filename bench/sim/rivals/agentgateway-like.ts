/**
 * agentgateway's balancer (types/loadbalancer.rs, http/health.rs, 2026) with the health policy that it takes to evict anything: two picks with replacement,
 * score = health ÷ (1 + latency·(1 + 0.1·pending)), both averages by count (weight 0.3), latency up to the response's headers and of successes only.
 */
import type { Listing } from '#bench/sim/contract';
import { drawOne } from './choice.ts';
import { createPending } from './pending.ts';
import type { Rival, RivalFailure } from './rival.ts';

const WEIGHT = 0.3;
const PENDING_WEIGHT = 0.1;
const EVICTION_MS = 3_000;

interface Member {
  health: number;
  latencyS: number;
  evictions: number;
  evictedUntilMs: number;
}

/** Better of two by health and latency; failures evict for 3 s times their number. */
export const AGENTGATEWAY_LIKE: Rival = {
  name: 'agentgateway-like',
  description: 'better of two by health ÷ latency to headers, eviction of 3 s × times, two retries',
  manners: { retriesMax: 2 },
  open(stage) {
    const random = stage.random('agentgateway-like');
    return () => {
      const pending = createPending();
      const members = new Map<string, Member>();
      const read = (endpointId: string): Member => {
        const member = members.get(endpointId) ?? { health: 1, latencyS: 0, evictions: 0, evictedUntilMs: 0 };
        members.set(endpointId, member);
        return member;
      };
      const scoreOf = ({ id }: Listing): number => {
        const { health, latencyS } = read(id);
        return health / (1 + latencyS * (1 + PENDING_WEIGHT * pending.of(id)));
      };
      return {
        pick(_request, candidates) {
          const present = candidates.filter(({ id }) => read(id).evictedUntilMs <= stage.now());
          const [left, right] = [drawOne(present, random), drawOne(present, random)];
          if (left === undefined || right === undefined) return null;
          return scoreOf(left) >= scoreOf(right) ? left : right;
        },
        sent: pending.sent,
        headers(endpointId, elapsedMs) {
          const member = read(endpointId);
          const latencyS = elapsedMs / 1_000;
          // An average of exactly zero takes the first value whole, so that newcomers look fastest until their first answer.
          member.latencyS = member.latencyS === 0 ? latencyS : member.latencyS + WEIGHT * (latencyS - member.latencyS);
        },
        ended(endpointId, { failure }) {
          pending.ended(endpointId);
          const member = read(endpointId);
          member.health += WEIGHT * ((failure === null ? 1 : 0) - member.health);
          if (failure === null) return void (member.evictions = 0);
          member.evictions += 1;
          member.evictedUntilMs = stage.now() + evictionMs(failure, member.evictions);
        },
      };
    };
  },
};

function evictionMs(failure: RivalFailure, times: number): number {
  const retryAfterMs = failure.kind === 'refused' ? failure.retryAfterMs : null;
  return retryAfterMs !== null && retryAfterMs > 0 ? retryAfterMs : EVICTION_MS * times;
}
