/** What a run of the tunnel benchmark says: differences and ratios of pairs, never times alone. */
import { differenceByRound, ratioByRound, type Spread } from '#bench/statistics';
import { LOADS, type LoadName, type Pairs, type TunnelSlice } from './slices.ts';

/** Bar: milliseconds that a tunnel may add to the first token at the median. */
const ADDED_TTFT_MS_MAX = 2;

export interface TunnelReport {
  /** Milliseconds that the tunnel adds to the first token at the median, with one stream at a time and with eight. */
  addedTtftP50Ms: { alone: Spread; eight: Spread };
  /** Many streams at once: events that came in the same time, tunnel / direct, and milliseconds that each came later. */
  crowd: { streams: number; eventsRatio: Spread; addedDelayP50Ms: Spread; addedDelayP99Ms: Spread; streamsCompleted: number };
  /** Events per second of streams that nobody paces, tunnel / direct. */
  unpacedEventsRatio: Spread;
  /** Requests of 1 MB: how many went through in the same time, tunnel / direct, and megabytes (10⁶ bytes) per second by the tunnel. */
  bodies: { ratio: Spread; mbPerSecond: number };
  /** Processor time for each event of the crowd, microseconds; null where the system does not tell. */
  cpuMicrosPerEvent: { routerDirect: number | null; routerTunnel: number | null; node: number | null };
  failures: Record<string, string>;
}

/** Draws up the report. */
export function toReport(results: Readonly<Record<LoadName, Pairs>>): TunnelReport {
  const { alone, eight, crowd, unpaced, bodies } = results;
  const perSecond = (slices: readonly TunnelSlice[], what: 'tokens' | 'requests') => slices.map((slice) => slice[what] / slice.elapsedMs);
  const ratioOf = ({ tunnel, direct }: Pairs, what: 'tokens' | 'requests') =>
    ratioByRound(perSecond(tunnel, what), perSecond(direct, what));
  const addedOf = ({ tunnel, direct }: Pairs, read: (slice: TunnelSlice) => number) =>
    differenceByRound(tunnel.map(read), direct.map(read));
  const ttft = (slice: TunnelSlice) => slice.firstTokenMs.p50;
  return {
    addedTtftP50Ms: { alone: addedOf(alone, ttft), eight: addedOf(eight, ttft) },
    crowd: {
      streams: LOADS.crowd.connections,
      eventsRatio: ratioOf(crowd, 'tokens'),
      addedDelayP50Ms: addedOf(crowd, ({ tokenDelayMs }) => tokenDelayMs.p50),
      addedDelayP99Ms: addedOf(crowd, ({ tokenDelayMs }) => tokenDelayMs.p99),
      streamsCompleted: crowd.tunnel.reduce((sum, { requestsTotal }) => sum + requestsTotal, 0),
    },
    unpacedEventsRatio: ratioOf(unpaced, 'tokens'),
    bodies: { ratio: ratioOf(bodies, 'requests'), mbPerSecond: megabytesPerSecond(bodies.tunnel) },
    cpuMicrosPerEvent: {
      routerDirect: perEvent(crowd.direct, 'routerCpuMicros'),
      routerTunnel: perEvent(crowd.tunnel, 'routerCpuMicros'),
      node: perEvent(crowd.tunnel, 'nodeCpuMicros'),
    },
    failures: failuresOf(results),
  };
}

function megabytesPerSecond(slices: readonly TunnelSlice[]): number {
  const bytes = slices.reduce((sum, { requests }) => sum + requests, 0) * LOADS.bodies.promptBytes;
  return bytes / slices.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) / 1_000;
}

function perEvent(slices: readonly TunnelSlice[], what: 'routerCpuMicros' | 'nodeCpuMicros'): number | null {
  if (slices.some((slice) => slice[what] === null)) return null;
  return slices.reduce((sum, slice) => sum + (slice[what] ?? 0), 0) / slices.reduce((sum, { tokensTotal }) => sum + tokensTotal, 0);
}

/** Names what went wrong, by load and way; a run with failures proves nothing. */
function failuresOf(results: Readonly<Record<LoadName, Pairs>>): Record<string, string> {
  const found = Object.entries(results).flatMap(([load, pairs]) =>
    Object.entries(pairs).flatMap(([way, slices]) => {
      const failures = slices.reduce((sum, slice) => sum + slice.failures, 0);
      return failures === 0
        ? []
        : [[`${load} ${way}`, `${failures}, such as: ${slices.find((slice) => slice.failureExample)?.failureExample}`]];
    }),
  );
  return Object.fromEntries(found) as Record<string, string>;
}

/** Writes the report for people. */
export function toTable({ addedTtftP50Ms, crowd, unpacedEventsRatio, bodies, cpuMicrosPerEvent, failures }: TunnelReport): string {
  const ms = ({ median, min, max }: Spread) => `${median.toFixed(2)} ms  (${min.toFixed(2)} … ${max.toFixed(2)})`;
  const ratio = ({ median, min, max }: Spread) => `${median.toFixed(3)}  (${min.toFixed(3)} … ${max.toFixed(3)})`;
  const micros = (value: number | null) => (value === null ? 'unknown' : `${value.toFixed(0)} µs`);
  return [
    `first token, one stream at a time   + ${ms(addedTtftP50Ms.alone)}   bar ${ADDED_TTFT_MS_MAX} ms`,
    `first token, eight streams          + ${ms(addedTtftP50Ms.eight)}`,
    `${crowd.streams} streams, events/s               × ${ratio(crowd.eventsRatio)}   ${crowd.streamsCompleted} streams completed`,
    `${crowd.streams} streams, event delay p50        + ${ms(crowd.addedDelayP50Ms)}`,
    `${crowd.streams} streams, event delay p99        + ${ms(crowd.addedDelayP99Ms)}`,
    `unpaced streams, events/s           × ${ratio(unpacedEventsRatio)}`,
    `requests of 1 MB                    × ${ratio(bodies.ratio)}   ${bodies.mbPerSecond.toFixed(0)} MB/s`,
    `processor time per event            router ${micros(cpuMicrosPerEvent.routerDirect)} direct, ${micros(cpuMicrosPerEvent.routerTunnel)} tunnelled; node ${micros(cpuMicrosPerEvent.node)}`,
    ...Object.entries(failures).map(([where, what]) => `FAILED ${where}: ${what}`),
  ].join('\n');
}
