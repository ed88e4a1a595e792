/** The study as text for a terminal. */
import { alignColumns } from '#bench/columns';
import type { Study } from './study.ts';

/** Lays the study out as two tables. */
export function toTable({ dimension, vectors, seed, distortion, formats }: Study): string {
  const rows = [
    ['bits', 'random', 'exact', 'normal', '4^-b', 'bound', 'corrected', 'offset', 'no signs', 'product bias', 'variance·d', 'entropy'],
    ...distortion.map((row) => [
      String(row.bits),
      ...[row.random, row.exact, row.gaussian, row.lowerBound, row.upperBound, row.corrected, row.offset, row.offsetWithoutSigns].map(say),
      sayShare(row.productBias),
      say(row.productVariance),
      row.entropyBits.toFixed(3),
    ]),
  ];
  const cache = [
    ['format', 'bits/value', 'error of attention output'],
    ...formats.map(({ name, bitsPerValue, error }) => [name, bitsPerValue.toFixed(2), say(error)]),
  ];
  return [
    `Squared error over squared norm; synthetic vectors: ${vectors}, d ${dimension}, seed ${seed}`,
    align(rows),
    'A synthetic attention layer with outlier channels, keys and values stored in the format',
    align(cache),
  ].join('\n\n');
}

/** A row of the study is sound while the codec keeps between the bounds of the theory. */
export function isSound({ distortion }: Study): boolean {
  return distortion.every(({ random, lowerBound, upperBound }) => random >= lowerBound && random <= upperBound);
}

function say(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value >= 0.0001 ? value.toFixed(5) : value.toExponential(1);
}

function sayShare(value: number): string {
  return Number.isNaN(value) ? '–' : `${(100 * value).toFixed(2)} %`;
}

function align(rows: readonly string[][]): string {
  return alignColumns(rows, (_, column) => column > 0);
}
