/** A node's capacity as people read it: what the memory goes to, what fits, how fast it is with few and with many, and what was assumed. */
import { kvCodec } from '#schema/catalog';
import { qualityOf, type CodecClass } from '#schema/codec-quality';
import type { CapacityEstimate, CapacityInput, Limit, BatchEstimate } from '#src/nodes/capacity/estimate';
import { GIB } from '#src/nodes/capacity/setting';
import type { Output, Paint, Style } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayMs, sayNumberOf, sayUsd } from '../quantities.ts';
import { formatTable, type Column } from '../table.ts';

type Setting = Pick<Output, 'width' | 'paint'>;

/** One codec of a comparison. */
export type Compared = CapacityEstimate & { kv: string };

/** Codecs side by side, and those that do not fit the model, by reason. */
export interface Comparison {
  codecs: readonly Compared[];
  refused: readonly { kv: readonly string[]; why: string }[];
}

const BAR_CELLS = 40;

const LIMITS: Readonly<Record<Limit, string>> = {
  weights: 'the weights: they leave no room for a cache',
  pool: 'the KV pool: more requests would not fit',
  bandwidth: 'memory bandwidth: reading weights and cache takes most of a step',
  arithmetic: 'arithmetic: prompts and large batches take most of a step',
  engine: "the engine's own overhead: a step does little else",
};

/** Shows one estimate. */
export function showCapacity(input: CapacityInput, estimate: CapacityEstimate, setting: Setting): string {
  const { paint } = setting;
  const gpus = estimate.gpuCount === 1 ? input.gpu.name : `${estimate.gpuCount} × ${input.gpu.name}`;
  const title = `${toPlainText(input.model.name)}, ${input.weights.name} weights, ${input.codec.name} cache, on ${gpus} under ${estimate.engine}`;
  const blocks = [paint('bold', title), showMemory(input, estimate, paint), showHolding(estimate, paint)];
  if (estimate.batches.length > 0) blocks.push(showBatches(estimate.batches, setting));
  return [...blocks, showAssumptions(estimate, setting)].join('\n\n');
}

/** A bar of one GPU's memory: weights, pool, and what neither may have. */
function showMemory(
  { gpu, totalGib = gpu.totalGib }: CapacityInput,
  { weightsBytes, poolBytes, tensorParallel }: CapacityEstimate,
  paint: Paint,
): string {
  const total = totalGib * GIB;
  const cells = (bytes: number): number => Math.min(BAR_CELLS, Math.round((BAR_CELLS * bytes) / total));
  const weights = cells(weightsBytes);
  const pool = Math.min(BAR_CELLS - weights, cells(poolBytes));
  const bar = paint('cyan', '█'.repeat(weights)) + paint('green', '▓'.repeat(pool)) + paint('dim', '░'.repeat(BAR_CELLS - weights - pool));
  const rest = Math.max(0, total - weightsBytes - poolBytes);
  const parts = `weights ${sayGib(weightsBytes)}, KV pool ${sayGib(poolBytes)}, kept free or in use ${sayGib(rest)}`;
  return `${bar}  ${totalGib} GiB${tensorParallel > 1 ? ' each' : ''}\n${parts}`;
}

function showHolding(estimate: CapacityEstimate, paint: Paint): string {
  const { kvBytesPerToken, kvBytesPerSequence, contextTokens, poolTokens, sequences, contextTokensMax, limit, poolBytes, weightsBytes } =
    estimate;
  const context = sayCount(contextTokens);
  const lines = [
    `cache       ${sayCount(kvBytesPerToken)} bytes a token, ${sayGib(kvBytesPerSequence)} a sequence of ${context}`,
    `holds       ${paint('bold', sayNumberOf(poolTokens, 'token'))}: ${sayNumberOf(sequences, 'sequence')} of ${context} at once`,
  ];
  if (poolBytes === 0) lines.push(paint('red', `does not fit: the weights take ${sayGib(weightsBytes)} and leave nothing for a cache`));
  else if (sequences === 0)
    lines.push(
      paint('yellow', `cannot serve a context of ${context}: the longest sequence that fits has ${sayNumberOf(contextTokensMax, 'token')}`),
    );
  else lines.push(`limited by  ${LIMITS[limit]}`);
  return lines.join('\n');
}

function showBatches(batches: readonly BatchEstimate[], setting: Setting): string {
  const columns: Column<BatchEstimate>[] = [
    { title: 'requests at once', align: 'right', cell: ({ batch }) => sayCount(batch) },
    { title: 'decode tok/s', align: 'right', optional: 1, cell: ({ decodeTokensPerSecond: rate }) => sayRate(rate) },
    { title: 'answers tok/s', align: 'right', cell: ({ outputTokensPerSecond: rate }) => ({ text: sayRate(rate), style: 'bold' }) },
    { title: 'a token every', align: 'right', cell: ({ tpotMs }) => sayMs(tpotMs) },
    { title: '$/M output', align: 'right', cell: ({ usdPerMillionOutputTokens: usd }) => sayUsd(usd) },
  ];
  return formatTable(batches, columns, setting);
}

/** Shows codecs side by side, with how much more each holds than bf16 does. */
export function showComparison(input: CapacityInput, { codecs, refused }: Comparison, setting: Setting): string {
  const { paint } = setting;
  const first = codecs[0];
  const context = sayCount(first?.contextTokens);
  const gpus = first === undefined || first.gpuCount === 1 ? input.gpu.name : `${first.gpuCount} × ${input.gpu.name}`;
  const title = `${toPlainText(input.model.name)}, ${input.weights.name} weights (${sayGib(first?.weightsBytes ?? 0)}), on ${gpus}`;
  const columns: Column<Compared>[] = [
    { title: 'KV codec', cell: ({ kv }) => kv },
    { title: 'quality', cell: ({ kv }) => sayClass(kv) },
    { title: 'engine', optional: 2, cell: ({ engine }) => engine },
    { title: 'B/token', align: 'right', cell: ({ kvBytesPerToken: bytes }) => sayCount(bytes) },
    { title: 'tokens', align: 'right', cell: ({ poolTokens }) => ({ text: sayCount(poolTokens), style: 'bold' }) },
    { title: 'of bf16', align: 'right', optional: 1, cell: ({ poolTokens }) => sayRatio(poolTokens, first?.poolTokens ?? 0) },
    { title: `× ${context}`, align: 'right', cell: ({ sequences }) => sayCount(sequences) },
    { title: 'tok/s alone', align: 'right', cell: ({ batches }) => sayRate(batches[0]?.outputTokensPerSecond) },
    { title: 'at once', align: 'right', optional: 3, cell: ({ batch }) => sayCount(batch) },
    { title: 'tok/s then', align: 'right', cell: ({ outputTokensPerSecond: rate }) => sayRate(rate) },
    { title: '$/M output', align: 'right', cell: ({ usdPerMillionOutputTokens: usd }) => sayUsd(usd) },
  ];
  const refusals = refused.map(({ kv, why }) => paint('dim', `not for ${toPlainText(why)}\n  ${kv.join(', ')}`));
  const assumed = first === undefined ? [] : [showAssumptions(first, setting)];
  return [
    paint('bold', title),
    formatTable(codecs, columns, setting),
    ...(refusals.length > 0 ? [refusals.join('\n')] : []),
    ...assumed,
  ].join('\n\n');
}

const CLASS_STYLES: Readonly<Record<CodecClass, Style>> = {
  lossless: 'green',
  near_lossless: 'green',
  light: 'yellow',
  heavy: 'red',
  unknown: 'dim',
};

function sayClass(codec: string): { text: string; style: Style } {
  const known = kvCodec.safeParse(codec);
  const quality = known.success ? qualityOf(known.data) : 'unknown';
  return { text: quality.replace('_', ' '), style: CLASS_STYLES[quality] };
}

function showAssumptions({ assumptions }: CapacityEstimate, { paint }: Setting): string {
  const width = Math.max(...assumptions.map(({ name, value }) => `${name} ${value}`.length));
  const lines = assumptions.map(({ name, value, why }) => `  ${`${name} ${value}`.padEnd(width)}  ${why}`);
  return paint('dim', ['Assumed; flags override it, and measuring is better:', ...lines].join('\n'));
}

function sayGib(bytes: number): string {
  const gib = bytes / GIB;
  return gib >= 0.1 || bytes === 0 ? `${gib.toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

function sayRate(rate: number | undefined): string {
  if (rate === undefined || rate === 0) return '';
  return rate < 100 ? rate.toFixed(1) : sayCount(Math.round(rate));
}

function sayRatio(part: number, whole: number): string {
  return whole === 0 ? '' : `${(part / whole).toFixed(2)}×`;
}
