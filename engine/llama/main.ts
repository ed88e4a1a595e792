/** Runs the engine from a terminal until it is told to end. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE_TYPES, toCacheType, type CacheType } from './cache-type.ts';
import { loadEngine, type Engine, type EngineOptions } from './engine.ts';
import { installEngine, isEngineInstalled } from './install.ts';
import { createMetrics } from './metrics.ts';
import { startServer, type Served } from './server.ts';
import { createSlots } from './slots.ts';
import { buildTinyModel } from './tiny-model.ts';

/** An answer that is not finished by then is cut. */
const DRAIN_MS_MAX = 10_000;

/** Exit code of an installation that is not possible here: no network, or no binary for this platform. */
const EXIT_IMPOSSIBLE = 3;

const HELP = `A llama.cpp node on loopback with the API of llama-server, on one thread of the CPU.

usage: node engine/llama/main.ts [options]
  --port N            port to listen on, 0 for any (default 8080)
  --model FILE        a GGUF file (default: a tiny model of random weights, made on the spot)
  --seed N            seed of the tiny model (default 1)
  --alias NAME        what the model is called (default tiny-llama, or the file's name)
  --slots N           requests at once (default 4)
  --queue N           requests that may wait for a slot; others get 503 (default 0)
  --ctx N             tokens of one slot, prompt and answer (default 2048)
  --cache-type-k T    type of the keys in the cache: ${CACHE_TYPES.join(', ')} (default f16)
  --cache-type-v T    type of the values (default f16)
  --install           install llama.cpp here, unless it is, and end; exit code ${EXIT_IMPOSSIBLE} and the reason where it cannot be
  --help              this text
`;

const TEXT = { type: 'string' } as const;
const FLAGS = {
  port: TEXT,
  model: TEXT,
  seed: TEXT,
  alias: TEXT,
  slots: TEXT,
  queue: TEXT,
  ctx: TEXT,
  'cache-type-k': TEXT,
  'cache-type-v': TEXT,
  install: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Carries a wrong option to the one place that prints it. */
class UsageError extends Error {}

interface Options extends Omit<EngineOptions, 'modelFile'> {
  port: number;
  modelFile: string | null;
  seed: number;
  alias: string;
  queue: number;
}

function readOptions(): Options | 'help' | 'install' {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help === true) return 'help';
  if (values.install === true) return 'install';
  const whole = (name: string, value: string | undefined, fallback: number, min: number, max: number): number => {
    const number = value === undefined ? fallback : Number(value);
    if (!Number.isInteger(number) || number < min || number > max)
      throw new UsageError(`--${name} must be an integer from ${min} to ${max}`);
    return number;
  };
  const cacheType = (name: 'cache-type-k' | 'cache-type-v'): CacheType => {
    const type = toCacheType(values[name] ?? 'f16');
    if (type === undefined) throw new UsageError(`--${name} must be one of ${CACHE_TYPES.join(', ')}`);
    return type;
  };
  const modelFile = values.model ?? null;
  return {
    port: whole('port', values.port, 8080, 0, 65_535),
    modelFile,
    seed: whole('seed', values.seed, 1, 0, 2 ** 32 - 1),
    alias: values.alias ?? (modelFile === null ? 'tiny-llama' : path.basename(modelFile, '.gguf')),
    slots: whole('slots', values.slots, 4, 1, 64),
    queue: whole('queue', values.queue, 0, 0, 10_000),
    context: whole('ctx', values.ctx, 2048, 256, 1_048_576),
    cacheTypeK: cacheType('cache-type-k'),
    cacheTypeV: cacheType('cache-type-v'),
  };
}

/** Loads the file, or a tiny model from a file that is gone again when it has been read. */
async function load(options: Options): Promise<Engine> {
  if (options.modelFile !== null) return loadEngine({ ...options, modelFile: options.modelFile });
  const file = path.join(tmpdir(), `headrace-tiny-llama-${randomUUID()}.gguf`);
  writeFileSync(file, buildTinyModel({ seed: options.seed, context: options.context }));
  try {
    return await loadEngine({ ...options, modelFile: file });
  } finally {
    rmSync(file, { force: true });
  }
}

/** Resolves with the exit code. */
async function run(): Promise<number> {
  const options = readOptions();
  if (options === 'install') return install();
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const { alias, slots, context, cacheTypeK, cacheTypeV } = options;
  let served: Served = null;
  const server = await startServer(options.port, () => served);
  const ended = new Promise<void>((resolve) => {
    // Not `once`: a library below ends the process at a signal that nobody else listens to.
    for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, () => resolve());
  });
  const engine = await load(options);
  served = {
    desk: { engine, slots: createSlots(slots, options.queue), metrics: createMetrics(), alias, context },
    facts: { model: engine.facts, alias, slots, context, cacheTypeK, cacheTypeV, startedAtS: Math.floor(Date.now() / 1000) },
  };
  const rotated = engine.facts.rotated ? ', rotated' : '';
  process.stdout.write(`kv cache: keys ${cacheTypeK}, values ${cacheTypeV}${rotated}; ${slots} slots of ${context} tokens\n`);
  process.stdout.write(`ready http://127.0.0.1:${server.port}\n`);
  await ended;
  setTimeout(() => process.exit(1), DRAIN_MS_MAX).unref();
  await server.drain();
  await engine.stop();
  return 0;
}

async function install(): Promise<number> {
  if (isEngineInstalled()) return 0;
  process.stderr.write('installing llama.cpp (85 MB) …\n');
  const obstacle = await installEngine();
  if (obstacle === null) return 0;
  process.stdout.write(`${obstacle}\n`);
  return EXIT_IMPOSSIBLE;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') return 'the port is busy; choose another with --port, or 0 for any';
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return 'not installed; run node engine/llama/main.ts --install';
  return error.message.split('\n', 1)[0] ?? error.message;
}

run().then(
  // llama.cpp's threads would keep the process for a moment.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`llama engine: ${explain(error)}\n`);
    process.exit(1);
  },
);
