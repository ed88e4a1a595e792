/** `npm run bench:chaos`: the whole Worker under load while its suppliers fail in every way, and every answer reconciled with the books. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand, tell } from '#bench/command';
import { rssMb } from '#bench/process-usage';
import { cpuWaitMs } from './cpu-wait.ts';
import { sendRequest, type Outcome } from './client.ts';
import { HELP, parseFlags, type ChaosFlags } from './flags.ts';
import { sendLoad } from './load.ts';
import { readGenerations } from './read-generations.ts';
import { reconcile } from './reconcile.ts';
import { isSound, toReport, type ChaosReport } from './report.ts';
import { drawRequests, MODELS, type ChaosRequest } from './requests.ts';
import { layOut, type Phase } from './schedule.ts';
import { startStage, type Stage } from './stage.ts';
import { readBooks, readReceiptIds } from './store.ts';
import { toTable } from './table.ts';
import { BUDGETED_TEAM, budgetNanoUsd } from './teams.ts';
import { makeTrouble } from './trouble.ts';

const DELAY_RESOLUTION_MS = 10;
const DRAIN_MS_MAX = 30_000;
const DRAIN_POLL_MS = 500;
/** What clients without an id left behind arrives within this time after the rest. */
const STRAGGLERS_MS = 3000;

let stage: Stage | undefined;

async function stopAll(): Promise<void> {
  await stage?.stop();
}

async function run(flags: ChaosFlags): Promise<ChaosReport> {
  const phases = layOut(flags.durationMs, flags.seed);
  const durationMs = phases.at(-1)?.endMs ?? 0;
  const requests = drawRequests({ durationMs, rate: flags.rate, seed: flags.seed });
  const budget = budgetNanoUsd(requests.length);
  tell(`starting the fleet and the router; ${requests.length} requests in ${Math.round(durationMs / 1000)} s`);
  stage = await startStage({ seed: flags.seed, budgetNanoUsd: budget });
  const { origin, fleet, pid } = stage;
  await requireAnswers(origin, requests);
  const rssMbAtStart = rssMb(pid);
  const waitedBeforeMs = cpuWaitMs(pid);

  const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delays.enable();
  const startedAtMs = performance.now();
  const now = (): number => performance.now() - startedAtMs;
  const onPhase = createProgress(phases, durationMs);
  const [load, played] = await Promise.all([
    sendLoad(origin, requests, now),
    makeTrouble({ phases, models: MODELS, seed: flags.seed, fleet, now }, onPhase),
  ]);
  delays.disable();
  const waitedMs = cpuWaitMs(pid);
  tell(`every answer has ended after ${Math.round(now() / 1000)} s; waiting for the books`);
  await drain(await stage.db(), load.outcomes);
  const rssMbAtEnd = rssMb(pid);
  tell('reading what was written');
  const generations = await readGenerations(origin, load.outcomes);
  const books = await readBooks(await stage.db());
  const violations = reconcile({ outcomes: load.outcomes, books, generations, prices: stage.prices, budgetNanoUsd: budget });
  const upstreamCalls = (await fleet.states()).reduce((sum, { counters }) => sum + counters.requests, 0);
  return toReport({
    ...load,
    seed: flags.seed,
    rate: flags.rate,
    phases: played,
    books,
    generations,
    violations,
    budgetNanoUsd: budget,
    upstreamCalls,
    rssMbAtStart,
    rssMbAtEnd,
    cpuWaitMs: waitedBeforeMs === null || waitedMs === null ? null : waitedMs - waitedBeforeMs,
    latenessMs: { p50: toLatenessMs(delays.percentile(50)), p99: toLatenessMs(delays.percentile(99)), max: toLatenessMs(delays.max) },
  });
}

/** Converts a delay in nanoseconds, which includes the resolution that it was sampled with. */
function toLatenessMs(delayNanos: number): number {
  return Math.round(Math.max(0, delayNanos / 1e6 - DELAY_RESOLUTION_MS));
}

/** Throws unless the router answers at all: a run in which nothing is served would lose nothing either. */
async function requireAnswers(origin: string, requests: readonly ChaosRequest[]): Promise<void> {
  const first = requests.find(({ leavesAfter, teamId }) => leavesAfter === null && teamId !== BUDGETED_TEAM);
  if (first === undefined) return;
  for (const streaming of [false, true]) {
    const { ending, status, error } = await sendRequest(origin, { ...first, streaming }, () => 0);
    if (ending !== 'completed') throw new Error(`the router does not answer while all is calm: ${ending}, status ${status}, ${error}`);
  }
}

/** Names each phase as it begins, with the time that is left. */
function createProgress(phases: readonly Phase[], durationMs: number): (phase: Phase, struck: readonly string[]) => void {
  return (phase, struck) => {
    const what = phase.fault === null ? 'calm' : `${phase.fault} at ${struck.join(', ')}`;
    tell(`phase ${phases.indexOf(phase) + 1}/${phases.length}  ${what}  (about ${Math.ceil((durationMs - phase.startMs) / 1000)} s left)`);
  };
}

/** Waits until D1 has a receipt for every id that a client saw, or until that has taken too long. */
async function drain(db: D1Database, outcomes: readonly Outcome[]): Promise<void> {
  const ids = outcomes.flatMap(({ generationId, ending }) => (generationId === null || ending === 'refused' ? [] : [generationId]));
  const untilMs = performance.now() + DRAIN_MS_MAX;
  while (performance.now() < untilMs) {
    const stored = await readReceiptIds(db);
    if (ids.every((id) => stored.has(id))) break;
    await pause(DRAIN_POLL_MS);
  }
  await pause(STRAGGLERS_MS);
}

await runCommand({ name: 'bench:chaos', help: HELP, parseFlags, run, toTable, isSound, stopAll });
