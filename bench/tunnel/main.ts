/** `npm run bench:tunnel`: what it costs to reach a node through its link instead of at an address. */
import { runCommand, tell } from '#bench/command';
import { HELP, parseFlags, type TunnelFlags } from './flags.ts';
import { toReport, toTable, type TunnelReport } from './report.ts';
import { LOADS, runLoad, type LoadName, type Pairs } from './slices.ts';
import { openStage } from './stage.ts';

const stops: (() => unknown)[] = [];

async function run({ rounds, seconds }: TunnelFlags): Promise<TunnelReport> {
  tell('starting upstream, load generator, router and node');
  const stage = await openStage(stops);
  const results: Partial<Record<LoadName, Pairs>> = {};
  for (const [name, load] of Object.entries(LOADS) as [LoadName, (typeof LOADS)[LoadName]][]) {
    tell(load.title);
    results[name] = await runLoad(load, rounds, seconds, stage);
  }
  return toReport(results as Record<LoadName, Pairs>);
}

await runCommand({
  name: 'bench:tunnel',
  help: HELP,
  parseFlags,
  run,
  toTable,
  isSound: ({ failures }) => Object.keys(failures).length === 0,
  stopAll: async () => {
    await Promise.allSettled(stops.splice(0).map(async (stop) => stop()));
  },
});
