/**
 * LiteLLM's latency-based routing with its cooldown (router_strategy/lowest_latency.py, router_utils/cooldown_handlers.py, 2026).
 * Its oddities are its own: latency is divided by the answer's tokens, a full list keeps its oldest nine samples, a deployment without
 * samples counts as fastest, only timeouts are recorded as slow, and a cooldown ends with full traffic at once.
 */
import { drawOne, leastOf } from './choice.ts';
import type { Rival, RivalFailure } from './rival.ts';

const SAMPLES_MAX = 10;
const TIMEOUT_PENALTY = 1_000; // seconds per token
const SAMPLES_TTL_MS = 3_600_000;
const COOLDOWN_MS = 5_000;
const FAILURE_SHARE_MAX = 0.5;
const ATTEMPTS_MIN = 5;
const ALLOWED_FAILS = 3;
const MINUTE_MS = 60_000;
const COOLDOWN_AT_ONCE = new Set([401, 404, 408, 429]);

interface Deployment {
  samples: number[];
  writtenAtMs: number;
  coolUntilMs: number;
  minute: number;
  ok: number;
  bad: number;
}

/** Fastest mean of the last samples, winner takes all; a fixed cooldown of five seconds. */
export const LITELLM_LATENCY: Rival = {
  name: 'litellm-latency',
  description: 'lowest latency per token of ten samples, cooldown of 5 s, two retries',
  // Retries go on at once while another deployment is healthy; else after an exponential pause.
  manners: { retriesMax: 2, pauseMs: (retry, failure) => (failure === null ? Math.min(8_000, 500 * 2 ** (retry - 1)) : 0) },
  open(stage) {
    const random = stage.random('litellm-latency');
    return () => {
      const deployments = new Map<string, Deployment>();
      const read = (endpointId: string): Deployment => {
        let deployment = deployments.get(endpointId);
        if (deployment === undefined) {
          deployment = { samples: [], writtenAtMs: 0, coolUntilMs: 0, minute: 0, ok: 0, bad: 0 };
          deployments.set(endpointId, deployment);
        }
        const minute = Math.floor(stage.now() / MINUTE_MS);
        if (deployment.minute !== minute) Object.assign(deployment, { minute, ok: 0, bad: 0 });
        if (stage.now() - deployment.writtenAtMs > SAMPLES_TTL_MS) deployment.samples = [];
        return deployment;
      };
      const write = (deployment: Deployment, sample: number): void => {
        deployment.samples = [...deployment.samples.slice(0, SAMPLES_MAX - 1), sample];
        deployment.writtenAtMs = stage.now();
      };
      return {
        pick(_request, candidates) {
          const healthy = candidates.filter(({ id }) => read(id).coolUntilMs <= stage.now());
          const fastest = leastOf(healthy, ({ id }) => mean(read(id).samples));
          return drawOne(fastest, random) ?? null;
        },
        ended(endpointId, { failure, ttftMs, tokens }) {
          const deployment = read(endpointId);
          if (failure === null) {
            deployment.ok += 1;
            if (ttftMs !== null) write(deployment, ttftMs / 1_000 / Math.max(1, tokens));
            return;
          }
          deployment.bad += 1;
          if (failure.kind === 'timeout') write(deployment, TIMEOUT_PENALTY);
          if (coolsDown(failure, deployment)) deployment.coolUntilMs = stage.now() + COOLDOWN_MS;
        },
      };
    };
  },
};

function coolsDown(failure: RivalFailure, { ok, bad }: Deployment): boolean {
  // Errors of the connection never cool a deployment down: the handler skips their exception.
  if (failure.kind === 'connection') return false;
  const status = failure.kind === 'timeout' ? 408 : failure.kind === 'nonsense' ? 500 : failure.status;
  if (COOLDOWN_AT_ONCE.has(status)) return true;
  return bad > ALLOWED_FAILS || (ok + bad >= ATTEMPTS_MIN && bad / (ok + bad) > FAILURE_SHARE_MAX);
}

function mean(samples: readonly number[]): number {
  return samples.length === 0 ? 0 : samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}
