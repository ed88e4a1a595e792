/** What `npm run bench:replay` takes on its command line. */
import { parseArgs } from 'node:util';

export interface ReplayBenchFlags {
  /** Recorded requests to replay. */
  requests: number;
  seed: number;
  json: boolean;
  help: boolean;
}

export const HELP = `usage: npm run bench:replay -- [flags]

Fills a local router's database with recorded requests (simulated: planned by
the real rooms over the example fleet, served by nobody) and replays all of
them with the real command under another policy.

  --quick         5,000 requests instead of 100,000
  --requests N    another number of requests (100 to 1,000,000)
  --seed N        which requests (default 1)
  --json          one JSON object on stdout instead of the table
  --help          this text

examples:
  npm run bench:replay -- --quick
  npm run bench:replay -- --requests 20000 --json
`;

const REQUESTS = 100_000;
const REQUESTS_QUICK = 5_000;

/** Reads the arguments after the script's name. Throws an Error with a one-line message for anything it does not know. */
export function parseFlags(argv: readonly string[]): ReplayBenchFlags {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      quick: { type: 'boolean', default: false },
      requests: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.quick && values.requests !== undefined) throw new Error('--quick and --requests exclude each other');
  return {
    requests: readWhole('requests', values.requests, { min: 100, max: 1_000_000, fallback: values.quick ? REQUESTS_QUICK : REQUESTS }),
    seed: readWhole('seed', values.seed, { min: 0, max: 4_294_967_295, fallback: 1 }),
    json: values.json,
    help: values.help,
  };
}

function readWhole(name: string, text: string | undefined, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
  if (text === undefined) return fallback;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, got "${text}"`);
}
