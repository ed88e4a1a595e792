/** `npm run bench`: what the whole Worker costs against a direct call, a bare pass-through Worker and a relay Worker. */
import { runCommand, tell } from '#bench/command';
import { parseFlags, HELP, type BenchFlags } from '#bench/flags';
import { startHeadrace } from '#bench/headrace';
import { startHelper, type HelperProcess } from '#bench/helper-process';
import { listPhases, pacedStreams, runPhase, sliceMs, type Phase, type PhaseResult } from '#bench/phases';
import { measurePlans } from '#bench/plan';
import { rssMb } from '#bench/process-usage';
import { toReport, type BenchReport } from '#bench/report';
import { startBareWorker, TEAM_IDS, type Subject, type SubjectId } from '#bench/subject';
import { toTable } from '#bench/table';
import { APIS, BENCH_MODEL } from '#bench/wire';

const stops: (() => unknown)[] = [];

async function stopAll(): Promise<void> {
  await Promise.allSettled(stops.splice(0).map(async (stop) => stop()));
}

async function startHelperHere(file: string): Promise<HelperProcess> {
  const helper = await startHelper(file);
  stops.push(() => helper.stop());
  return helper;
}

async function startSubjects(upstreamOrigin: string): Promise<Map<SubjectId, Subject>> {
  const subjects: Subject[] = [{ id: 'direct', origin: upstreamOrigin, key: 'sk-none', pid: null, stop: async () => {} }];
  const starts = [
    async () => [await startBareWorker('passThrough', 'pass-through.ts', upstreamOrigin)],
    async () => [await startBareWorker('relay', 'relay.ts', upstreamOrigin)],
    () => startHeadrace(upstreamOrigin),
  ];
  // One after the other: a subject's process is known as the child that was not there before.
  for (const start of starts) {
    const started = await start();
    stops.push(...started.map(({ stop }) => stop));
    subjects.push(...started);
  }
  for (const subject of subjects) await requireAnswers(subject);
  return new Map(subjects.map((subject) => [subject.id, subject]));
}

/** Throws unless a subject answers both kinds of request: a fast error would look like a fast answer. */
async function requireAnswers({ id, origin, key }: Subject): Promise<void> {
  for (const streaming of [false, true]) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const { path, requestBody } = APIS.chat;
    const response = await fetch(`${origin}${path}`, { method: 'POST', headers, body: requestBody(BENCH_MODEL, streaming) });
    const text = await response.text();
    const isWhole = streaming ? text.includes('data: [DONE]') : text.includes('"usage"');
    if (!response.ok || !isWhole) throw new Error(`${id} answers ${response.status}: ${text.slice(0, 200)}`);
  }
}

/** Names each slice as it begins, with the time left by the phases' own lengths. */
function createProgress(phases: readonly Phase[], rounds: number): (phase: Phase, subject: SubjectId) => void {
  const slices = phases.flatMap((phase) =>
    phase.subjects.map((subject) => ({ times: 1 + rounds * phase.repeats, durationMs: sliceMs(phase, subject) })),
  );
  const count = slices.reduce((sum, { times }) => sum + times, 0);
  let leftMs = slices.reduce((sum, { times, durationMs }) => sum + times * durationMs, 0);
  let index = 0;
  return (phase, subject) => {
    index += 1;
    tell(`slice ${index}/${count}  ${phase.title} · ${subject}  (about ${Math.ceil(leftMs / 1_000)} s left)`);
    leftMs -= sliceMs(phase, subject);
  };
}

async function run(flags: BenchFlags): Promise<BenchReport> {
  tell('starting upstream, load generator and subjects');
  const upstream = await startHelperHere('upstream.ts');
  const load = await startHelperHere('load.ts');
  const subjects = await startSubjects(`http://127.0.0.1:${upstream.port}`);
  const phases = listPhases({ connections: flags.connections, durationMs: flags.seconds * 1_000, quick: flags.quick }, subjects);
  const progress = createProgress(phases, flags.rounds);
  const results = new Map<string, PhaseResult>();
  for (const phase of phases) {
    results.set(phase.id, await runPhase(phase, flags.rounds, { upstream, load, subjects }, (subject) => progress(phase, subject)));
  }
  const withoutProcess = new Set<SubjectId>(['direct', ...TEAM_IDS]);
  const rssMbBySubject = Object.fromEntries(
    [...subjects.values()].flatMap(({ id, pid }) => (withoutProcess.has(id) ? [] : [[id, rssMb(pid)]])),
  );
  await stopAll();
  tell('plans per second');
  const { plansPerSecond } = measurePlans();
  return toReport({
    phases: results,
    connections: flags.connections,
    pacedStreams: pacedStreams(flags.quick),
    plansPerSecond,
    rssMbBySubject,
  });
}

await runCommand({
  name: 'bench',
  help: HELP,
  parseFlags,
  run,
  toTable,
  isSound: ({ failures }) => Object.keys(failures).length === 0,
  stopAll,
});
