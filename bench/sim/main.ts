/** `npm run bench:sim`: routing policies side by side in virtual time. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CellOrder, CellResult } from './cell.ts';
import { helpText, parseFlags, type SimFlags } from './flags.ts';
import { slotsNeeded } from './load.ts';
import { toPlot } from './plot.ts';
import { POLICIES } from './policies.ts';
import { runCells } from './pool.ts';
import { readReplay } from './replay/replay.ts';
import { toReport, type SimReport } from './report.ts';
import { toTable } from './report-table.ts';
import { fleetOf, requestsOf, type Supply, type Traffic } from './supply.ts';
import { cutWindow } from './workloads/arrival.ts';
import { readTrace } from './workloads/read-trace.ts';

const TELL_EVERY_MS = 1_000;
/** A guess until cells of both kinds have been timed, ms. */
const CELL_MS = { async: 2_500, plain: 400 } as const;

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function tellReading(file: string, share: number): void {
  tell(`reading ${file}: ${(100 * share).toFixed(0)} %`);
}

async function readSupply(flags: SimFlags): Promise<Supply> {
  return {
    traffic: await readTraffic(flags),
    replay: flags.replay === null ? null : await readReplay(flags.replay, flags.model, tellReading),
  };
}

async function readTraffic({ trace, workload, requests, minutes, rate }: SimFlags): Promise<Traffic> {
  if (trace === null) return { kind: 'generated', workload, count: requests, minutesMax: minutes, speed: rate };
  const window = { requestsMax: requests, minutesMax: minutes, speed: rate };
  return { kind: 'trace', arrivals: cutWindow(await readTrace(trace, tellReading), window) };
}

function listCells({ policies, scenarios, seeds, isolates, syncMs }: SimFlags): CellOrder[] {
  return scenarios.flatMap((scenario) => policies.flatMap((policy) => seeds.map((seed) => ({ policy, scenario, seed, isolates, syncMs }))));
}

/** Says once a second how far the run is. Cells of policies that were timed already are expected to take as long again. */
function createProgress(count: number, threads: number): (done: CellResult, left: readonly CellOrder[]) => void {
  const timed = new Map<string, { sumMs: number; cells: number }>();
  let toldAtMs = 0;
  return (done, left) => {
    const own = timed.get(done.policy) ?? { sumMs: 0, cells: 0 };
    timed.set(done.policy, { sumMs: own.sumMs + done.wallMs, cells: own.cells + 1 });
    if (performance.now() - toldAtMs < TELL_EVERY_MS && left.length > 0) return;
    toldAtMs = performance.now();
    const leftMs = left.reduce((sum, { policy }) => sum + expectedMs(policy, timed.get(policy)), 0) / threads;
    tell(`${count - left.length}/${count} cells, about ${Math.ceil(leftMs / 1_000)} s left  (${done.scenario}, ${done.policy})`);
  };
}

function expectedMs(policy: string, timed: { sumMs: number; cells: number } | undefined): number {
  if (timed !== undefined) return timed.sumMs / timed.cells;
  return POLICIES.find(({ name }) => name === policy)?.isAsync === true ? CELL_MS.async : CELL_MS.plain;
}

async function run(flags: SimFlags): Promise<SimReport> {
  const supply = await readSupply(flags);
  const cells = listCells(flags);
  const [seed = 1] = flags.seeds;
  const requests = requestsOf(supply, seed);
  const { endpoints } = fleetOf(supply, { seed, requests });
  const minutes = (requests.at(-1)?.arrivedAtMs ?? 0) / 60_000;
  const fleet = supply.replay === null ? 'the built-in fleet' : `${supply.replay.endpoints.length} endpoints of ${supply.replay.model}`;
  const slots = endpoints.reduce((sum, endpoint) => sum + endpoint.slots, 0);
  const busy = slotsNeeded(endpoints, requests).toFixed(0);
  tell(`${cells.length} cells of ${requests.length} requests in ${minutes.toFixed(1)} virtual minutes, over ${fleet}`);
  tell(`the traffic keeps about ${busy} of ${slots} slots busy`);
  const results = await runCells(cells, supply, { threads: flags.threads, onDone: createProgress(cells.length, flags.threads) });
  return toReport(results, {
    traffic: flags.trace ?? flags.workload,
    model: supply.replay?.model ?? null,
    requests: requests.length,
    minutes,
    rate: flags.rate,
    isolates: flags.isolates,
    syncMs: flags.syncMs,
    seeds: flags.seeds,
  });
}

async function main(): Promise<number> {
  try {
    const flags = parseFlags(process.argv.slice(2));
    if (flags.help) {
      process.stdout.write(helpText());
      return 0;
    }
    // Better known now than after minutes of work.
    if (flags.plot !== null) accessSync(dirname(flags.plot), constants.W_OK);
    const report = await run(flags);
    if (flags.plot !== null) {
      writeFileSync(flags.plot, toPlot(report));
      tell(`plot written to ${flags.plot}`);
    }
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${toTable(report)}\n`);
    return 0;
  } catch (error) {
    tell(error instanceof Error ? (error.message.split('\n')[0] as string) : String(error));
    return 1;
  }
}

process.exitCode = await main();
