/** What the capacity model needs to know of a language model: its layers in order, and how many parameters of which kind it has. */

/** Attention that keeps K and V of every token. */
interface FullLayer {
  kind: 'full';
  kvHeads: number;
  keyDim: number;
  valueDim: number;
  /** What a state space beside the attention keeps. */
  state?: LinearLayer;
}
/** Attention that keeps K and V of the newest tokens only. */
interface WindowLayer extends Omit<FullLayer, 'kind' | 'state'> {
  kind: 'window';
  windowTokens: number;
}
/** Multi-head latent attention: one compressed vector and one rotary key per token, shared by all heads. */
interface LatentLayer {
  kind: 'latent';
  latentDim: number;
  ropeDim: number;
}
/** Linear attention, a state space or a convolution: a state of fixed size per sequence, whatever its length. */
interface LinearLayer {
  kind: 'linear';
  keyHeads: number;
  valueHeads: number;
  keyDim: number;
  valueDim: number;
  /** Tokens that the short convolution looks at; 1 where there is none. */
  convWidth: number;
  /** Bytes of one value of the state, unless the engine is told otherwise. */
  valueBytes: 2 | 4;
}
/** A block that remembers nothing. */
interface StatelessLayer {
  kind: 'stateless';
}
export type LayerShape = FullLayer | WindowLayer | LatentLayer | LinearLayer | StatelessLayer;

/** Parameters, each counted once. */
export interface ParameterCounts {
  total: number;
  /** Those that one token passes through, embedding included. */
  active: number;
  /** One embedding matrix: vocabulary × hidden size. */
  embedding: number;
  /** Further tables of which a token looks up one row; 0 in most models. */
  lookedUp: number;
  /** Whether the output head is the same matrix. */
  isTied: boolean;
  /** All routed experts together; 0 for a dense model. */
  experts: number;
}

/** A language model as memory and arithmetic see it. */
export interface ModelShape {
  name: string;
  layers: readonly LayerShape[];
  hiddenSize: number;
  /** Query heads and their dimensions: what attention over a long prompt costs. */
  queryHeads: number;
  queryDim: number;
  /** Null where its description leaves out what would be needed to count; `uncounted` then names the field. */
  parameters: ParameterCounts | null;
  uncounted?: string;
  routing: { experts: number; perToken: number } | null;
  contextMax: number | null;
  /** Weight format in which it is published. */
  nativeWeights: string;
}

/** Tells whether some layers keep a state in place of a cache. vLLM's TurboQuant then compresses every attention layer. */
export function isHybrid(shape: ModelShape): boolean {
  return shape.layers.some((layer) => stateOf(layer) !== null);
}

/** Finds what a layer keeps of fixed size; null when it keeps no state. */
export function stateOf(layer: LayerShape): LinearLayer | null {
  if (layer.kind === 'linear') return layer;
  return layer.kind === 'full' ? (layer.state ?? null) : null;
}

/** Tells whether its cache holds latents. */
export function isLatent(shape: ModelShape): boolean {
  return shape.layers.some(({ kind }) => kind === 'latent');
}

/** Describes attention layers whose keys and values have the same size. */
export function full(kvHeads: number, dim: number): LayerShape {
  return { kind: 'full', kvHeads, keyDim: dim, valueDim: dim };
}

/** Describes sliding-window layers. */
export function sliding(windowTokens: number, kvHeads: number, dim: number): LayerShape {
  return { kind: 'window', windowTokens, kvHeads, keyDim: dim, valueDim: dim };
}

/** Repeats a pattern of layers until there are so many. */
export function stack(layers: number, ...pattern: LayerShape[]): LayerShape[] {
  return Array.from({ length: layers }, (_, index) => pattern[index % pattern.length] ?? { kind: 'stateless' });
}
