/** GPUs as data: memory that CUDA shows to an engine, bandwidth, dense tensor throughput with 32-bit accumulation, and what an hour costs. */
import { unknownName } from './problem.ts';

/** One GPU. */
export interface Gpu {
  name: string;
  /** Names in other people's mouths, as `normalise` leaves them. */
  aliases: readonly string[];
  totalGib: number;
  bandwidthBytesPerSecond: number;
  flopsFp16: number;
  /** Null: it has no fp8 tensor cores, so fp8 weights are computed in 16 bits. */
  flopsFp8: number | null;
  /** Consumer cards sit in slower hosts. */
  host: 'consumer' | 'datacenter';
  /** A usual rent, USD. */
  pricePerHourUsd: number;
}

type Row = [
  name: string,
  totalGib: number,
  gigabytesPerSecond: number,
  tflopsFp16: number,
  tflopsFp8: number | null,
  usd: number,
  ...aliases: string[],
];

function gpusOf(host: Gpu['host'], rows: readonly Row[]): Gpu[] {
  return rows.map(([name, totalGib, bandwidth, fp16, fp8, pricePerHourUsd, ...aliases]) => ({
    name,
    aliases,
    totalGib,
    bandwidthBytesPerSecond: bandwidth * 1e9,
    flopsFp16: fp16 * 1e12,
    flopsFp8: fp8 === null ? null : fp8 * 1e12,
    host,
    pricePerHourUsd,
  }));
}

const GPUS: readonly Gpu[] = [
  ...gpusOf('consumer', [
    ['rtx-3060', 11.63, 360, 51, null, 0.1, '3060'],
    ['rtx-3090', 23.56, 936, 71, null, 0.22, '3090'],
    ['rtx-3090-ti', 23.56, 1008, 80, null, 0.25, '3090-ti'],
    ['rtx-4060-ti-16gb', 15.57, 288, 44, 88, 0.12, '4060-ti', 'rtx-4060-ti'],
    ['rtx-4070-ti-super', 15.57, 672, 88, 176, 0.2, '4070-ti-super'],
    ['rtx-4080', 15.57, 717, 97, 195, 0.25, '4080', 'rtx-4080-super', '4080-super'],
    ['rtx-4090', 23.52, 1008, 165, 330, 0.35, '4090', 'rtx-4090-d'],
    ['rtx-5080', 15.48, 960, 113, 225, 0.35, '5080'],
    ['rtx-5090', 31.36, 1792, 209.5, 419, 0.6, '5090'],
    ['rx-7900-xtx', 23.98, 960, 122, null, 0.3, '7900-xtx', 'radeon-rx-7900-xtx'],
  ]),
  ...gpusOf('datacenter', [
    ['t4', 14.56, 320, 65, null, 0.2, 'tesla-t4'],
    ['a10', 22.06, 600, 125, null, 0.5, 'a10g'],
    ['l4', 22.05, 300, 121, 242, 0.5],
    ['l40s', 44.4, 864, 362, 733, 0.9, 'l40'],
    ['rtx-a6000', 47.41, 768, 155, null, 0.5, 'a6000'],
    ['rtx-6000-ada', 47.41, 960, 364, 728, 0.8, '6000-ada', 'rtx-6000-ada-generation'],
    [
      'rtx-pro-6000',
      94.97,
      1792,
      504,
      1007,
      1.8,
      'pro-6000',
      'rtx-pro-6000-blackwell',
      'rtx-pro-6000-blackwell-workstation-edition',
      'rtx-pro-6000-blackwell-server-edition',
    ],
    ['a100-40gb', 39.39, 1555, 312, null, 1.1, 'a100-40', 'a100-sxm4-40gb', 'a100-pcie-40gb'],
    ['a100-80gb', 79.25, 2039, 312, null, 1.4, 'a100', 'a100-80', 'a100-sxm', 'a100-sxm4-80gb'],
    ['a100-pcie-80gb', 79.25, 1935, 312, null, 1.3, 'a100-pcie', 'a100-80gb-pcie'],
    ['h100-sxm', 79.19, 3350, 989, 1979, 2, 'h100', 'h100-80gb', 'h100-sxm5', 'h100-80gb-hbm3', 'h100-sxm5-80gb'],
    ['h100-pcie', 79.19, 2039, 756, 1513, 1.9, 'h100-pcie-80gb'],
    ['h100-nvl', 93.1, 3938, 835, 1671, 2.2],
    ['gh200', 94.5, 4000, 989, 1979, 2.2, 'gh200-480gb'],
    ['h200', 139.8, 4800, 989, 1979, 2.8, 'h200-sxm', 'h200-sxm5'],
    ['h200-nvl', 139.8, 4800, 835, 1671, 2.6],
    ['b200', 178.4, 8000, 2250, 4500, 4.5],
    ['mi300x', 191.5, 5300, 1307, 2615, 2.2, 'instinct-mi300x'],
  ]),
];

/** Names every GPU of the table. */
export const GPU_NAMES: readonly string[] = GPUS.map(({ name }) => name);

/** How many GPUs one name may stand for. */
const COUNT_MAX = 64;

/** Finds a GPU by name, as people and `nvidia-smi` write it, with its count where the name says one: `h100x8`, `8xH100`. Null when unknown. */
export function lookUpGpu(name: string): { gpu: Gpu; count: number | null } | null {
  const wanted = normalise(name);
  const exact = findExact(wanted);
  if (exact !== null) return { gpu: exact, count: null };
  const counted = /^(?:(?<before>\d{1,3})-?x-?)(?<first>.+)$|^(?<last>.+?)-?x-?(?<after>\d{1,3})$/.exec(wanted)?.groups;
  const gpu = findExact(counted?.first ?? counted?.last ?? '');
  const count = Number(counted?.before ?? counted?.after);
  return gpu === null || !(count >= 1 && count <= COUNT_MAX) ? null : { gpu, count };
}

/** Finds a GPU by name. Throws CapacityProblem with the nearest names. */
export function findGpu(name: string): { gpu: Gpu; count: number | null } {
  const found = lookUpGpu(name);
  if (found === null)
    throw unknownName(
      'GPU',
      name,
      GPU_NAMES,
      GPUS.flatMap(({ aliases }) => aliases),
    );
  return found;
}

function findExact(name: string): Gpu | null {
  const named = (form: string): Gpu | undefined => GPUS.find((gpu) => gpu.name === form || gpu.aliases.includes(form));
  const { model, gigabytes } = /^(?<model>.+)-(?<gigabytes>\d{1,3})-?gb$/.exec(name)?.groups ?? {};
  const sized = model === undefined ? undefined : named(model);
  const isThatSize = sized !== undefined && Math.abs(Number(gigabytes) / sized.totalGib - 1) < 0.15;
  return named(name) ?? (isThatSize ? sized : null);
}

/** Leaves of `NVIDIA GeForce RTX 4090` and `rtx4090` what the table calls it: `rtx-4090`. */
function normalise(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[×*]/g, 'x')
    .replaceAll(/[\s_]+/g, '-')
    .replaceAll(/\b(nvidia|amd|geforce|tesla)-/g, '')
    .replace(/^rtx(?=\d)/, 'rtx-')
    .replaceAll(/(?<=\d)(ti|super)\b/g, '-$1');
}
