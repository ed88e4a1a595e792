/** The GPUs of this machine, as `nvidia-smi` lists them. */
import { execFile } from 'node:child_process';
import type { NodeDescription } from '#schema/node';
import { GPU_NAMES, lookUpGpu } from '#src/nodes/capacity/gpus';
import { UsageError } from '../command-error.ts';

type Gpu = NonNullable<NodeDescription['gpu']>;

const TIMEOUT_MS = 3_000;
const OUTPUT_BYTES_MAX = 64 * 1024;
const QUERY = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];

/** Asks for the GPUs; null where there are none, or nobody who could tell. */
export async function findGpu(run: RunTool = runTool): Promise<Gpu | null> {
  const listed = await run('nvidia-smi', QUERY);
  return listed === null ? null : readGpus(listed);
}

/** Runs a tool and returns its output; null where it is missing, slow, or says that it failed. */
export type RunTool = (tool: string, args: readonly string[]) => Promise<string | null>;

const runTool: RunTool = (tool, args) =>
  new Promise((resolve) => {
    execFile(tool, args, { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX }, (error, out) => resolve(error === null ? out : null));
  });

/**
 * Reads lines such as `NVIDIA GeForce RTX 4090, 24564`, memory in MiB. Of different cards the most numerous kind counts, and among equals the first:
 * an engine spreads a model over like ones.
 */
export function readGpus(listed: string): Gpu | null {
  const kinds = new Map<string, Gpu>();
  for (const line of listed.split('\n')) {
    const [, name, memory] = /^\s*(.+?)\s*,\s*(\d{1,8})\s*$/.exec(line) ?? [];
    if (name === undefined || memory === undefined) continue;
    const known = kinds.get(`${name} ${memory}`);
    kinds.set(`${name} ${memory}`, {
      name: toGpuId(name),
      count: (known?.count ?? 0) + 1,
      memoryBytes: Number(memory) * 1024 * 1024 || null,
    });
  }
  return [...kinds.values()].toSorted((left, right) => right.count - left.count)[0] ?? null;
}

/** Names a card as the capacity model does: `NVIDIA GeForce RTX 4090` → `rtx-4090`; one that it does not know keeps its name, in letters of an id. */
function toGpuId(name: string): string {
  const known = lookUpGpu(name)?.gpu.name;
  const words = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return (known ?? words.replace(/^-|-$/g, '').slice(0, 64)) || 'gpu';
}

/** Reads `rtx-4090`, or `h100x8` for eight of them. Throws UsageError, with the names that it could be. */
export function readGpu(text: string): Gpu {
  const found = lookUpGpu(text);
  if (found === null) throw new UsageError(`--gpu ${text} is not known (known: ${GPU_NAMES.join(', ')})`);
  return { name: found.gpu.name, count: found.count ?? 1, memoryBytes: null };
}
