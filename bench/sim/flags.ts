/** What `npm run bench:sim` takes on its command line. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { DEFAULT_POLICY_NAMES, POLICIES, POLICY_NAMES } from './policies.ts';
import { REPLAY_SCENARIO, SCENARIO_NAMES } from './scenario-names.ts';
import { WORKLOAD_NAMES, WORKLOADS, type WorkloadName } from './workloads/generated.ts';
import type { ReplayFiles } from './replay/replay.ts';

/** What to simulate. Infinite limits are no limits. */
export interface SimFlags {
  scenarios: string[];
  policies: string[];
  seeds: number[];
  isolates: number;
  syncMs: number;
  workload: WorkloadName;
  trace: string | null;
  replay: ReplayFiles | null;
  model: string | null;
  requests: number;
  minutes: number;
  rate: number;
  threads: number;
  json: boolean;
  plot: string | null;
  quick: boolean;
  help: boolean;
}

const PLOT_FILE = 'simulation.svg';
const REQUESTS = 5_000;
const REQUESTS_QUICK = 2_000;
const SEEDS_MAX = 1_000;
const SEEDS = 3;

const OPTIONS = {
  scenario: { type: 'string' },
  policy: { type: 'string' },
  seeds: { type: 'string' },
  isolates: { type: 'string' },
  'sync-ms': { type: 'string' },
  workload: { type: 'string' },
  trace: { type: 'string' },
  uptime: { type: 'string' },
  endpoints: { type: 'string' },
  prices: { type: 'string' },
  model: { type: 'string' },
  requests: { type: 'string' },
  limit: { type: 'string' },
  minutes: { type: 'string' },
  rate: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'boolean', default: false },
  plot: { type: 'string' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Reads the arguments after the script's name. Throws an Error with a one-line message for anything it does not know. */
export function parseFlags(argv: readonly string[]): SimFlags {
  const values = readArguments(argv);
  const replay = readReplayFiles(values);
  const limited = values.requests ?? values.limit;
  const minutes = values.minutes === undefined ? Infinity : readNumber('--minutes', values.minutes, { min: 0.1, max: 100_000 });
  const usual = values.quick ? REQUESTS_QUICK : REQUESTS;
  return {
    scenarios: readScenarios(values.scenario, replay !== null),
    policies: readNames('--policy', values.policy ?? 'default', POLICY_NAMES, { default: DEFAULT_POLICY_NAMES, all: POLICY_NAMES }),
    seeds: values.seeds === undefined ? range(values.quick ? 1 : SEEDS) : readSeeds(values.seeds),
    isolates: readNumber('--isolates', values.isolates ?? '8', { min: 1, max: 512, isWhole: true }),
    syncMs: readNumber('--sync-ms', values['sync-ms'] ?? '2000', { min: 10, max: 600_000 }),
    workload: readWorkload(values.workload ?? 'azure-conv'),
    trace: values.trace ?? null,
    replay,
    model: values.model ?? null,
    requests:
      limited === undefined
        ? minutes === Infinity
          ? usual
          : Infinity
        : readNumber('--requests', limited, { min: 50, max: 5_000_000, isWhole: true }),
    minutes,
    rate: readNumber('--rate', values.rate ?? '1', { min: 0.001, max: 1_000 }),
    threads:
      values.threads === undefined ? availableParallelism() : readNumber('--threads', values.threads, { min: 1, max: 256, isWhole: true }),
    json: values.json,
    plot: values.plot ?? null,
    quick: values.quick,
    help: values.help,
  };
}

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: namePlot(argv), allowPositionals: false, options: OPTIONS }).values;
  } catch (error) {
    const [what = ''] = (error instanceof Error ? error.message : String(error)).split(/[.\n]/);
    throw new Error(`${what}; --help lists all flags`, { cause: error });
  }
}

/** `--plot` may stand alone; then the plot gets its usual name. */
function namePlot(argv: readonly string[]): string[] {
  return argv.map((argument, place) => {
    const next = argv[place + 1];
    return argument === '--plot' && (next === undefined || next.startsWith('--')) ? `--plot=${PLOT_FILE}` : argument;
  });
}

function readScenarios(text: string | undefined, isReplay: boolean): string[] {
  const allowed = isReplay ? [REPLAY_SCENARIO.name, ...SCENARIO_NAMES] : SCENARIO_NAMES;
  return readNames('--scenario', text ?? (isReplay ? REPLAY_SCENARIO.name : 'all'), allowed, { all: SCENARIO_NAMES });
}

function readNames(flag: string, text: string, allowed: readonly string[], groups: Record<string, readonly string[]>): string[] {
  const names = text.split(',').map((part) => part.trim());
  const found = names.flatMap((name) => {
    if (groups[name] !== undefined) return [...groups[name]];
    if (allowed.includes(name)) return [name];
    throw new Error(`${flag} must be among ${[...allowed, ...Object.keys(groups)].join(', ')}; got "${name}"`);
  });
  return [...new Set(found)];
}

function readWorkload(text: string): WorkloadName {
  const found = WORKLOAD_NAMES.find((name) => name === text);
  if (found === undefined) throw new Error(`--workload must be one of ${WORKLOAD_NAMES.join(', ')}; got "${text}"`);
  return found;
}

function readSeeds(text: string): number[] {
  if (/^\d{1,4}$/.test(text)) return range(readNumber('--seeds', text, { min: 1, max: SEEDS_MAX, isWhole: true }));
  // A comma, even at the end, makes it a list: `7,` is seed 7 alone.
  const parts = text.replace(/,\s*$/, '').split(',');
  const seeds = parts.map((part) => (/^\s*\d{1,9}\s*$/.test(part) ? Number(part) : Number.NaN));
  if (seeds.some(Number.isNaN)) throw new Error(`--seeds must be a number of seeds, or whole numbers separated by commas; got "${text}"`);
  return [...new Set(seeds)];
}

function readReplayFiles({
  uptime,
  endpoints,
  prices,
  model,
}: Partial<Record<'uptime' | 'endpoints' | 'prices' | 'model', string>>): ReplayFiles | null {
  if (uptime !== undefined && endpoints !== undefined && prices !== undefined) return { uptime, endpoints, prices };
  if (uptime !== undefined || endpoints !== undefined || prices !== undefined) {
    throw new Error('--uptime, --endpoints and --prices go together: give all three files');
  }
  if (model !== undefined) throw new Error('--model chooses among real endpoints: give --uptime, --endpoints and --prices, too');
  return null;
}

function readNumber(flag: string, text: string, { min, max, isWhole = false }: { min: number; max: number; isWhole?: boolean }): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new Error(`${flag} must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, got "${text}"`);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, place) => place + 1);
}

/** Writes the help text. */
export function helpText(): string {
  const width = Math.max(...[...POLICY_NAMES, ...WORKLOAD_NAMES].map((name) => name.length));
  const rows = (entries: readonly (readonly [string, string])[]): string =>
    entries.map(([name, description]) => `  ${name.padEnd(width)}  ${description}`).join('\n');
  return `usage: npm run bench:sim -- [flags]

Simulates routing policies in virtual time: the router's own plan, health and
dispatch rooms beside the documented policies of its peers, over the same
endpoints, failures and requests.

  --scenario LIST     ${SCENARIO_NAMES.slice(0, 6).join(', ')},
                      ${SCENARIO_NAMES.slice(6, 12).join(', ')},
                      ${SCENARIO_NAMES.slice(12).join(', ')} or all (default)
  --policy LIST       names below, default or all
  --seeds N|LIST      that many seeds, or these: 1,2,3 (default ${SEEDS}; "7," is seed 7 alone)
  --workload NAME     generated traffic, names below (default azure-conv)
  --trace FILE        real traffic instead: Azure CSV (TIMESTAMP, ContextTokens, GeneratedTokens) or
                      Mooncake JSONL (timestamp in ms, input_length, output_length, hash_ids), also gzipped
  --requests N        so many requests at most (default ${REQUESTS}; without limit under --minutes); --limit is the same
  --minutes N         so many minutes of the traffic at most
  --rate X            that many times as fast
  --uptime FILE --endpoints FILE --prices FILE
                      real endpoints with their measured success rates (percent) and prices (USD per token);
                      scenario "replay" unless others are asked for
  --model ID          which model's endpoints (default: the one with the most)
  --isolates N        isolates that share the traffic (default 8)
  --sync-ms N         how often they exchange what they know (default 2000)
  --threads N         default: all processors
  --plot [FILE]       goodput and p99 TTFT against price as SVG (default ${PLOT_FILE})
  --json              one JSON object on stdout instead of the table; shares are fractions of 1
  --quick             one seed, ${REQUESTS_QUICK} requests
  --help              this text

policies:
${rows(POLICIES.map(({ name, description }) => [name, description]))}

workloads:
${rows(WORKLOAD_NAMES.map((name) => [name, WORKLOADS[name].description]))}

examples:
  npm run bench:sim -- --quick --scenario calm,outage-hang
  npm run bench:sim -- --trace azure.csv --rate 1.5 --seeds 11,12,13 --json > simulation.json
`;
}
