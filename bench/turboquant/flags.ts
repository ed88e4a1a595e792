/** What `npm run bench:turboquant` takes on its command line. */
import { parseArgs } from 'node:util';
import type { StudySettings } from './study.ts';

export interface TurboquantFlags extends StudySettings {
  /** File that the plot is written to; null for none. */
  svg: string | null;
  json: boolean;
  help: boolean;
}

export const HELP = `usage: npm run bench:turboquant -- [flags]

Encodes synthetic vectors with the reference codec and sets what is lost
beside the theory, and beside the formats that engines keep caches in.

  --dimension N   values of a vector: a power of two from 32 to 512 (default 128)
  --vectors N     how many (50 to 100,000; default 1,000)
  --seed N        which ones (default 1)
  --svg FILE      write the plot, distortion against bits
  --json          one JSON object on stdout instead of the table
  --help          this text

examples:
  npm run bench:turboquant
  npm run bench:turboquant -- --dimension 64 --svg distortion.svg
`;

const DIMENSIONS = [32, 64, 128, 256, 512];

/** Reads the arguments after the script's name. Throws an Error with a one-line message for anything it does not know. */
export function parseFlags(argv: readonly string[]): TurboquantFlags {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      dimension: { type: 'string', default: '128' },
      vectors: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      svg: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const dimension = Number(values.dimension);
  if (!DIMENSIONS.includes(dimension)) throw new Error(`--dimension must be one of ${DIMENSIONS.join(', ')}, got "${values.dimension}"`);
  return {
    dimension,
    vectors: readWhole('--vectors', values.vectors, [50, 100_000]),
    seed: readWhole('--seed', values.seed, [0, 2 ** 31]),
    svg: values.svg ?? null,
    json: values.json,
    help: values.help,
  };
}

function readWhole(name: string, text: string, [least, most]: readonly [number, number]): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, got "${text}"`);
}
