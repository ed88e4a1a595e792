/** How a model stands in the table: its layers as published, its parameters as its card states them. */
import type { LayerShape, ModelShape } from '../model-shape.ts';

const BILLION = 1e9;

/** One line of the table: what a model card states. Parameters in billions. */
export interface Row {
  name: string;
  /** Further names, in the form that `findModel` compares. */
  aliases?: readonly string[];
  layers: readonly LayerShape[];
  hidden: number;
  queryHeads: number;
  queryDim?: number;
  vocabulary: number;
  isTied?: boolean;
  totalB: number;
  activeB?: number;
  /** Routed experts: how many, how many a token uses, their inner size, and in how many layers. */
  experts?: { count: number; perToken: number; size: number; layers: number };
  context: number;
  weights?: string;
}

/** One model of the table, with the further names that `findModel` compares. */
export interface KnownModel {
  shape: ModelShape;
  aliases: readonly string[];
}

/** Makes a shape of a line. */
export function toKnown(row: Row): KnownModel {
  const {
    name,
    aliases = [],
    layers,
    hidden,
    queryHeads,
    queryDim = 128,
    vocabulary,
    isTied = false,
    totalB,
    activeB = totalB,
    experts,
  } = row;
  return {
    aliases,
    shape: {
      name,
      layers,
      hiddenSize: hidden,
      queryHeads,
      queryDim,
      parameters: {
        total: totalB * BILLION,
        active: activeB * BILLION,
        embedding: vocabulary * hidden,
        lookedUp: 0,
        isTied,
        // A gated expert has three matrices.
        experts: experts === undefined ? 0 : experts.layers * experts.count * 3 * hidden * experts.size,
      },
      routing: experts === undefined ? null : { experts: experts.count, perToken: experts.perToken },
      contextMax: row.context,
      nativeWeights: row.weights ?? 'bf16',
    },
  };
}
