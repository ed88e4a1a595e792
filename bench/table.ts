/** The report as text for a terminal. */
import { alignColumns } from '#bench/columns';
import type { BenchReport, Verdict } from '#bench/report';
import type { Spread } from '#bench/statistics';
import { SUBJECT_IDS, type SubjectId } from '#bench/subject';

const SUBJECT_NAMES: Record<SubjectId, string> = {
  direct: 'direct',
  passThrough: 'pass-through',
  relay: 'relay',
  headrace: 'headrace',
  unbounded: 'headrace, team without bounds',
  bounded: 'headrace, team with budget and limits',
};

/** Lays the report out as aligned columns, verdicts last. */
export function toTable(report: BenchReport): string {
  const names = SUBJECT_IDS.map((subject) => SUBJECT_NAMES[subject]);
  const row = (title: string, values: Partial<Record<SubjectId, number | null>>, digits: number, note = ''): string[] => [
    title,
    ...SUBJECT_IDS.map((subject) => formatNumber(values[subject], digits)),
    note,
  ];
  const delays = (streams: string, quantile: 'p50' | 'p99'): Partial<Record<SubjectId, number>> =>
    Object.fromEntries(Object.entries(report.eventDelayMsByStreams[streams] ?? {}).map(([subject, delay]) => [subject, delay[quantile]]));
  const measured = [
    ['', ...names, ''],
    ...Object.entries(report.requestsPerSecond).map(([count, values]) =>
      row(`requests/s, ${count} connections`, values, 0, formatRatio(report.throughputRatioSpread[count])),
    ),
    row('CPU µs per request', report.cpuMicrosPerRequest, 0),
    row('first token p50, 8 streams, ms', report.ttftP50Ms, 2),
    ...Object.keys(report.eventDelayMsByStreams).flatMap((streams) => [
      row(`event delay p50, ${streams} streams, ms`, delays(streams, 'p50'), 2),
      row(`event delay p99, ${streams} streams, ms`, delays(streams, 'p99'), 2),
    ]),
    row('CPU µs per event', report.cpuMicrosPerToken, 1),
    row('events/s, unpaced', report.tokensPerSecond, 0, formatRatio(report.streamRelayRatioSpread)),
    ...Object.entries(report.conversionRatioSpread).map(([route, ratio]) => row(`events/s, ${route}`, {}, 0, formatRatio(ratio))),
    row('resident MB after the run', report.rssMbBySubject, 0),
  ];
  const added = Object.keys(report.requestsPerSecond).map((count) => [
    `added at ${count} connections, ms`,
    `p50 ${formatNumber(report.addedP50MsByConnections[count], 2)}`,
    `p99 ${formatNumber(report.addedP99MsByConnections[count], 2)}`,
  ]);
  added.push(['added by budget and limits, ms', `p50 ${formatNumber(report.limitsAddedP50Ms, 2)}`]);
  const plans = Object.entries(report.plansPerSecond).map(([count, rate]) => [`plans/s, ${count} candidates`, formatNumber(rate, 0)]);
  const failures = Object.entries(report.failures).map(
    ([subject, { count, example }]) => `! ${SUBJECT_NAMES[subject as SubjectId]}: ${count} failed, for example: ${example}`,
  );
  const notes = report.relaySaturated
    ? ['! this machine saturates the relay itself at the most streams: event delays there measure queues']
    : [];
  return [align(measured), align([...added, ...plans]), align(report.verdicts.map(verdictRow)), ...notes, ...failures].join('\n\n');
}

function verdictRow(verdict: Verdict): string[] {
  const mark = verdict.ok === null ? 'not measured' : verdict.ok ? 'ok' : 'below';
  return [mark, verdict.name, formatNumber(verdict.value, 3), verdict.bar];
}

function formatRatio(ratio: Spread | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio.median)) return '';
  return `ratio ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;
}

function formatNumber(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Numbers, dashes and signs stand on the right. */
function align(rows: string[][]): string {
  return alignColumns(rows, (cell) => /^[\d–-]/.test(cell));
}
