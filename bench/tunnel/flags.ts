/** What `npm run bench:tunnel` takes on its command line. */
import { parseArgs } from 'node:util';

export interface TunnelFlags {
  /** Length of one slice of load. */
  seconds: number;
  /** Pairs of slices kept after the warm-up. */
  rounds: number;
  quick: boolean;
  json: boolean;
  help: boolean;
}

export const HELP = `usage: npm run bench:tunnel -- [flags]

Measures the same upstream through the same router, called at its address and
through the tunnel of a node: first token, 200 streams at once, large bodies.
Slices of both are interleaved, and only their differences and ratios count.

  --quick     a good half minute instead of two: short slices, two rounds
  --json      one JSON object on stdout instead of the table
  --help      this text
`;

/** Reads the arguments after the script's name. Throws an Error with a one-line message for anything it does not know. */
export function parseFlags(argv: readonly string[]): TunnelFlags {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, seconds: values.quick ? 1 : 2.5, rounds: values.quick ? 2 : 4 };
}
