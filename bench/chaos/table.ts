/** The report as text for a terminal. */
import { alignColumns } from '#bench/columns';
import type { ChaosReport, Fared } from './report.ts';

/** From here on streams stall that would not, had the router a processor. */
const CPU_WAIT_SHARE_MAX = 0.1;

/** Lays the report out as aligned columns, what must be zero last. */
export function toTable(report: ChaosReport): string {
  const faults = [
    ['fault', 'requests', 'success', 'goodput', 'broken', 'resumed', 'ttft p50', 'p99 ms', 'calls there', 'back after', 'struck'],
    ['calm', ...fared(report.calm), '', '', ''],
    ...report.faults.map((fault) => [
      fault.fault,
      ...fared(fault),
      String(fault.callsToStruck),
      fault.recoveryS === null ? 'not back' : `${fault.recoveryS.toFixed(1)} s`,
      fault.struck.join(', '),
    ]),
  ];
  const zeros = Object.entries(report.mustBeZero).map(([name, count]) => [count === 0 ? 'ok' : 'WRONG', name, String(count)]);
  const examples = report.examples.map((example) => `! ${example}`);
  return [
    alignColumns(faults, (cell) => /^[\d–]/.test(cell)),
    alignColumns(factsOf(report), () => false),
    alignColumns(zeros, () => false),
    ...(examples.length === 0 ? [] : [examples.join('\n')]),
  ].join('\n\n');
}

function factsOf(report: ChaosReport): string[][] {
  const { requests, notSent, durationS, seed, endings, errors, cutStreams, texts, attempts, money, rows, rssMb, latenessMs, cpuWaitShare } =
    report;
  const { resumed, resumedComplete, resumedExact, broken, brokenByFailure } = cutStreams;
  const wait = cpuWaitShare === null ? '–' : percent(cpuWaitShare);
  const busy = (cpuWaitShare ?? 0) > CPU_WAIT_SHARE_MAX ? ': this machine was too busy for the times above' : '';
  return [
    ['requests', `${requests} in ${durationS} s, seed ${seed}${notSent === 0 ? '' : `, ${notSent} not sent`}`],
    ['ended', listOf(endings)],
    ['told', listOf(errors) || 'no error'],
    ['success rate', percent(report.successRate)],
    ['streams cut after content', `${resumed} resumed: ${resumedComplete} to the end, ${resumedExact} byte-exact`],
    ['streams broken', broken === 0 ? 'none' : `${broken}: ${listOf(brokenByFailure)}`],
    ['texts compared', `${texts.compared}: ${texts.exact} exact, ${texts.other_end} with another end, ${texts.garbled} garbled`],
    [
      'attempts',
      `${attempts.perRequest.toFixed(3)} a request: ${listOf(attempts.byRole)}; the fleet counted ${attempts.upstreamCalls} calls`,
    ],
    ['charged, nano-USD', `${money.chargedNanoUsd}, and ${money.absorbedNanoUsd} absorbed`],
    ['budget, nano-USD', `${money.budgetSpentNanoUsd} of ${money.budgetNanoUsd} spent`],
    ['rows', `${rows.receipts} receipts, ${rows.attempts} attempts, ${rows.journal} journal entries`],
    ['resident MB of workerd', `${megabytes(rssMb.start)} at the start, ${megabytes(rssMb.end)} at the end`],
    ['timers late, ms', `p50 ${latenessMs.p50}, p99 ${latenessMs.p99}, max ${latenessMs.max}`],
    ['router without processor', `${wait}${busy}`],
  ];
}

/** Lists what was counted, without what never came. */
function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function fared({ requests, successRate, goodput, broken, resumed, ttftP50Ms, ttftP99Ms }: Fared): string[] {
  return [
    String(requests),
    percent(successRate),
    percent(goodput),
    String(broken),
    String(resumed),
    String(ttftP50Ms ?? '–'),
    String(ttftP99Ms ?? '–'),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function megabytes(amount: number | null): string {
  return amount === null ? '–' : amount.toFixed(0);
}
