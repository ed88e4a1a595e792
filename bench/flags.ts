/** What `npm run bench` takes on its command line. */
import { parseArgs } from 'node:util';

/** How much to measure. `seconds` is the length of one slice; `rounds` counts those kept after the warm-up round. */
export interface BenchFlags {
  seconds: number;
  rounds: number;
  connections: number[];
  quick: boolean;
  json: boolean;
  help: boolean;
}

export const HELP = `usage: npm run bench -- [flags]

Measures the whole Worker against a direct call, a bare pass-through Worker and
a relay Worker, and streams that are asked for in one API and answered in
another: same machine, same run, interleaved slices.

  --quick              a good minute instead of five: short slices, one round
  --seconds N          length of one slice (default 0.8; 0.2 to 60)
  --connections LIST   closed-loop connections for JSON answers (default 1,8,32)
  --json               one JSON object on stdout instead of the table
  --help               this text

examples:
  npm run bench -- --quick
  npm run bench -- --seconds 5 --connections 8 --json > bench.json
`;

const CONNECTIONS_MAX = 256; // more only measure this machine's scheduler

/** Reads the arguments after the script's name. Throws an Error with a one-line message for anything it does not know. */
export function parseFlags(argv: readonly string[]): BenchFlags {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    seconds: values.seconds === undefined ? (values.quick ? 0.3 : 0.8) : readSeconds(values.seconds),
    rounds: values.quick ? 1 : 4,
    connections: values.connections === undefined ? [1, 8, 32] : readConnections(values.connections),
    quick: values.quick,
    json: values.json,
    help: values.help,
  };
}

function readSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (!(seconds >= 0.2 && seconds <= 60)) throw new Error(`--seconds must be a number from 0.2 to 60, got "${text}"`);
  return seconds;
}

function readConnections(text: string): number[] {
  const counts = text.split(',').map((part) => (/^\d{1,4}$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (counts.some((count) => !(count >= 1 && count <= CONNECTIONS_MAX))) {
    throw new Error(`--connections must be whole numbers from 1 to ${CONNECTIONS_MAX}, separated by commas, got "${text}"`);
  }
  return [...new Set(counts)].toSorted((left, right) => left - right);
}
