/** The kinds of load that both ways meet in turn. */
import type { LoadJob, LoadResult } from '#bench/load';
import { cpuMicros } from '#bench/process-usage';
import { rotate } from '#bench/statistics';
import type { StreamShape } from '#bench/upstream';
import { APIS } from '#bench/wire';
import { WAYS, type TunnelStage, type Way } from './stage.ts';

/** One kind of load. `stream` null asks for JSON answers; `promptBytes` is added to the request. */
export interface Load {
  title: string;
  connections: number;
  stream: StreamShape | null;
  promptBytes: number;
  rampMs: number;
}

const STREAMS = 200;
const TOKENS = 50;
const INTERVAL_MS = 20; // 50 tokens a second

export const LOADS = {
  alone: { title: 'first token, one stream at a time', connections: 1, stream: { tokens: 8, intervalMs: 2 }, promptBytes: 0, rampMs: 0 },
  eight: { title: 'first token, eight streams', connections: 8, stream: { tokens: 8, intervalMs: 2 }, promptBytes: 0, rampMs: 20 },
  crowd: {
    title: `${STREAMS} streams of 50 tokens/s`,
    connections: STREAMS,
    stream: { tokens: TOKENS, intervalMs: INTERVAL_MS },
    promptBytes: 0,
    rampMs: TOKENS * INTERVAL_MS,
  },
  unpaced: { title: '32 streams, as fast as they go', connections: 32, stream: { tokens: 400, intervalMs: 0 }, promptBytes: 0, rampMs: 50 },
  bodies: { title: 'requests of 1 MB', connections: 4, stream: null, promptBytes: 1_000_000, rampMs: 0 },
} as const satisfies Record<string, Load>;
export type LoadName = keyof typeof LOADS;

/** What one slice saw, with the processor time of router and node; null where the system does not tell. */
export interface TunnelSlice extends LoadResult {
  routerCpuMicros: number | null;
  nodeCpuMicros: number | null;
}

/** Slices of both ways, in order. */
export type Pairs = Record<Way, TunnelSlice[]>;

/** The outbox reaches D1 about a second after the last answer; the next slice must not pay for it. */
const QUIET_MS = 1_200;

/** Runs a load: a warm-up pair that is dropped, then `rounds` pairs with their order turned each time. */
export async function runLoad(load: Load, rounds: number, seconds: number, stage: TunnelStage): Promise<Pairs> {
  if (load.stream !== null) await stage.upstream.ask(load.stream);
  const pairs: Pairs = { direct: [], tunnel: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const way of rotate(['direct', 'tunnel'] as const, round)) {
      const slice = await runSlice(load, way, seconds, stage);
      if (round > 0) pairs[way].push(slice);
    }
  }
  return pairs;
}

async function runSlice(load: Load, way: Way, seconds: number, { load: generator, agent, router }: TunnelStage): Promise<TunnelSlice> {
  const before = [cpuMicros(router.pid), cpuMicros(agent.pid)];
  const { path, tokenMark } = APIS.chat;
  const seen = await generator.ask<LoadResult>({
    url: `${router.origin}${path}`,
    key: router.key,
    body: bodyOf(load, way),
    tokenMark,
    streaming: load.stream !== null,
    connections: load.connections,
    rampMs: load.rampMs,
    durationMs: seconds * 1_000,
  } satisfies LoadJob);
  const [routerCpuMicros = null, nodeCpuMicros = null] = [cpuMicros(router.pid), cpuMicros(agent.pid)].map((after, place) => {
    const from = before[place];
    return after === null || from == null ? null : after - from;
  });
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  return { ...seen, routerCpuMicros, nodeCpuMicros };
}

function bodyOf({ stream, promptBytes }: Load, way: Way): string {
  const body = JSON.parse(APIS.chat.requestBody(WAYS[way], stream !== null)) as { messages: { role: string; content: string }[] };
  if (promptBytes > 0) body.messages.push({ role: 'user', content: 'water '.repeat(promptBytes / 6) });
  return JSON.stringify(body);
}
