/** What `npm run bench:chaos` takes on its command line. */
import { parseArgs } from 'node:util';

/** How long, how hard and by which dice the router is troubled. `rate` counts requests per second. */
export interface ChaosFlags {
  durationMs: number;
  rate: number;
  seed: number;
  json: boolean;
  help: boolean;
}

export const HELP = `usage: npm run bench:chaos -- [flags]

Runs the whole Worker against the simulated fleet, switches faults on a third of
the endpoints on and off under load, and then reconciles every answer with D1.
Exit code 1 when something was lost, garbled or charged wrongly.

  --quick        40 seconds instead of three minutes
  --minutes N    length of the run (default 3; 0.5 to 120)
  --rate N       requests per second (default 10; 1 to 100)
  --seed N       seed of load and faults (default 1)
  --json         one JSON object on stdout instead of the table
  --help         this text

examples:
  npm run bench:chaos -- --quick
  npm run bench:chaos -- --minutes 10 --rate 20 --seed 7 --json > chaos.json
`;

const MINUTES_DEFAULT = 3;
const QUICK_MS = 40_000;
const MINUTE_MS = 60_000;

/** Reads the arguments after the script's name. Throws an Error with a one-line message for anything it does not know. */
export function parseFlags(argv: readonly string[]): ChaosFlags {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      quick: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      rate: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.quick && values.minutes !== undefined) throw new Error('--quick and --minutes exclude each other');
  const minutes = readNumber('minutes', values.minutes, { min: 0.5, max: 120, fallback: MINUTES_DEFAULT });
  return {
    durationMs: values.quick ? QUICK_MS : minutes * MINUTE_MS,
    rate: readNumber('rate', values.rate, { min: 1, max: 100, fallback: 10 }),
    seed: readNumber('seed', values.seed, { min: 0, max: 4_294_967_295, fallback: 1, whole: true }),
    json: values.json,
    help: values.help,
  };
}

function readNumber(
  name: string,
  text: string | undefined,
  { min, max, fallback, whole = false }: { min: number; max: number; fallback: number; whole?: boolean },
): number {
  if (text === undefined) return fallback;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (number >= min && number <= max && (!whole || Number.isInteger(number))) return number;
  throw new Error(`--${name} must be ${whole ? 'a whole number' : 'a number'} from ${min} to ${max}, got "${text}"`);
}
