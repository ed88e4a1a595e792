/** Runs the devnet from a terminal until interrupted. */
import { parseArgs } from 'node:util';
import { DEFAULT_PORT, startDevnet } from './devnet.ts';

const HELP = `Simulated supply for Headrace: miners, GPU nodes and centralized APIs on loopback. No real model answers.

usage: node devnet/main.ts [--port N] [--seed N] [--speed X]
  --port N    port to listen on, 0 for any (default ${DEFAULT_PORT})
  --seed N    seed of every draw (default 1)
  --speed X   divides every pause, 1000 for tests (default 1)
  --help      this text
`;

/** Carries a wrong option to the one place that prints it. */
class UsageError extends Error {}

function readNumber(name: string, value: string | undefined, bounds: { min: number; max: number; whole: boolean }): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  const valid = value.trim() !== '' && number >= bounds.min && number <= bounds.max && (!bounds.whole || Number.isInteger(number));
  if (!valid) throw new UsageError(`--${name} must be ${bounds.whole ? 'an integer' : 'a number'} from ${bounds.min} to ${bounds.max}`);
  return number;
}

function readOptions(): { help: boolean; port: number | undefined; seed: number | undefined; speed: number | undefined } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { port: text, seed: text, speed: text, help: { type: 'boolean', short: 'h' } } });
  return {
    help: values.help === true,
    port: readNumber('port', values.port, { min: 0, max: 65_535, whole: true }),
    seed: readNumber('seed', values.seed, { min: 0, max: 4_294_967_295, whole: true }),
    speed: readNumber('speed', values.speed, { min: 0.001, max: 1_000_000, whole: false }),
  };
}

async function run(): Promise<void> {
  const { help, port = DEFAULT_PORT, seed = 1, speed = 1 } = readOptions();
  if (help) return void process.stdout.write(HELP);
  const devnet = await startDevnet({ port, seed, speed, log: (line) => process.stdout.write(`${line}\n`) });
  const stop = (): void => void devnet.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') return 'the port is busy; choose another with --port, or 0 for any';
  return error.message.split('\n', 1)[0] ?? error.message;
}

run().catch((error: unknown) => {
  process.stderr.write(`devnet: ${explain(error)}\n`);
  process.exitCode = 1;
});
