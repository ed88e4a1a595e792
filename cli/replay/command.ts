/** `headrace replay`: what a policy would have done with the requests that there were. */
import type { Command } from 'commander';
import { parseInstant } from '../duration.ts';
import { sinceOption, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Output } from '../output.ts';
import { sayCount } from '../quantities.ts';

interface ReplayOptions extends RouterOptions {
  policy: string;
  since: string;
  until?: string;
  team?: string;
  out?: string;
}

/** Progress is said at most this often where it cannot be written over. */
const SAY_EVERY_MS = 2_000;

/** Adds the command that replays. */
export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('plan recorded requests again under another policy and say what would change; sends nothing, changes nothing')
    .requiredOption('--policy <file|name>', 'a manifest, as apply would have it, or a stored policy in place of the nearest one')
    .addOption(sinceOption('7d'))
    .option('--until <when>', 'the same; default: now', parseInstant)
    .option('--team <id>', 'requests of one team')
    .option('--out <file>', 'write one line for each request: JSON, or CSV where the name ends in .csv')
    .action((options: ReplayOptions, self: Command) => run(options, outputOf(self)));
  withExamples(
    withRouter(command),
    'replay --policy headrace.yaml --since 7d',
    'replay --policy private --team research --since 24h --out moved.csv',
    'replay --policy headrace.yaml --since 2027-01-01 --until 2027-02-01 --json',
  );
}

async function run(options: ReplayOptions, output: Output): Promise<void> {
  const [{ createClient }, { findConnection }, { replay }, { sayReport }] = await Promise.all([
    import('../router/client.ts'),
    import('../router/connection.ts'),
    import('./replay.ts'),
    import('./say-report.ts'),
  ]);
  const { policy, since, until = new Date().toISOString(), team = null, out = null } = options;
  const connection = findConnection(options, 'management');
  const interrupted = new AbortController();
  const onInterrupt = (): void => {
    if (!interrupted.signal.aborted) output.note('interrupted: no report');
    interrupted.abort();
  };
  process.on('SIGINT', onInterrupt);
  try {
    const report = await replay(
      { policy, since, until, team, out },
      { client: createClient(connection), connection, signal: interrupted.signal, onProgress: createProgressLine(output) },
    );
    output.answer(report, () => sayReport(report, output));
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** Tells how far it is: on one line of a terminal, else now and then. */
function createProgressLine({ note }: Output): (done: number, total: number | null) => void {
  const startedAtMs = performance.now();
  const isTerminal = process.stderr.isTTY === true;
  let saidAtMs = startedAtMs;
  return (done, total) => {
    const nowMs = performance.now();
    const isEnd = done === total;
    if (!isEnd && nowMs - saidAtMs < (isTerminal ? SAY_EVERY_MS / 10 : SAY_EVERY_MS)) return;
    saidAtMs = nowMs;
    const text = sayProgress(done, total, nowMs - startedAtMs);
    if (isTerminal) process.stderr.write(`\r${text}\u001b[K${isEnd ? '\n' : ''}`);
    else note(text);
  };
}

function sayProgress(done: number, total: number | null, elapsedMs: number): string {
  const perSecond = done / Math.max(0.001, elapsedMs / 1000);
  const of = total === null ? '' : `/${sayCount(total)}`;
  const left = total === null || done >= total ? '' : `, about ${Math.ceil((total - done) / perSecond)} s left`;
  return `${sayCount(done)}${of} requests planned again, ${sayCount(Math.round(perSecond))}/s${left}`;
}
