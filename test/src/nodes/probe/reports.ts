/** Reports of probes, with plain defaults; each test states only what it is about. */
import type { ProbeFinding, ProbeReport } from '#schema/probe';

const SEEN: ProbeReport['seen'] = {
  context: null,
  quantization: null,
  kv_cache: null,
  pool_tokens: null,
  max_sequences: null,
  capabilities: {},
  streams: true,
};
const SPEED: ProbeReport['speed'] = { ttft_ms: 200, tpot_ms: 10, throughput: null };

/** A report that was passed. */
export function reportOf(
  over: Partial<Omit<ProbeReport, 'seen' | 'speed'>> & { seen?: Partial<ProbeReport['seen']>; speed?: Partial<ProbeReport['speed']> } = {},
): ProbeReport {
  const { seen, speed, ...rest } = over;
  return {
    at: '2027-01-15T08:00:00.000Z',
    duration_ms: 1_200,
    completed: true,
    models: ['m'],
    load: null,
    findings: [],
    ...rest,
    seen: { ...SEEN, ...seen },
    speed: { ...SPEED, ...speed },
  };
}

/** A report that nobody passes. */
export function failedReport(what: ProbeFinding['what'] = 'completion', seen = 'HTTP 500'): ProbeReport {
  return reportOf({
    completed: false,
    seen: { streams: null },
    speed: { ttft_ms: null, tpot_ms: null },
    findings: [{ what, declared: null, seen, severity: 'fatal' }],
  });
}

/** A report of an endpoint that had no room. */
export function busyReport(): ProbeReport {
  return { ...failedReport(), findings: [{ what: 'completion', declared: null, seen: 'HTTP 503', severity: 'note' }] };
}
