/** Finds out from a `config.json` of which kind every layer is, in the many ways in which families say it. */
import type { ConfigFields } from './config-fields.ts';
import { hasGemma3Defaults, GEMMA3, refuseUnlistedStates } from './families.ts';
import { CapacityProblem } from './problem.ts';

/** What a layer keeps of the tokens before: all of them, a window, a chunk, a state, a state beside all of them, or nothing. */
export type Kind = 'full' | 'window' | 'chunk' | 'linear' | 'hybrid' | 'stateless';

type KindOf = (index: number) => Kind;

const KINDS: Readonly<Record<string, Kind>> = {
  full_attention: 'full',
  attention: 'full',
  // Sparse attention picks from a cache of everything.
  indexed_attention: 'full',
  sliding_attention: 'window',
  chunked_attention: 'chunk',
  linear_attention: 'linear',
  mamba: 'linear',
  mamba2: 'linear',
  conv: 'linear',
  hybrid: 'hybrid',
  mlp: 'stateless',
  moe: 'stateless',
};

/** Layers in a pattern of letters; a dash is a dense network, E one of experts. */
const LETTERS: Readonly<Record<string, Kind>> = { '*': 'full', M: 'linear', '-': 'stateless', E: 'stateless' };

/** Reads the kinds of `depth` layers: layer by layer where the config lists them, else by a pattern. Throws CapacityProblem. */
export function readKinds(config: ConfigFields, depth: number): KindOf {
  return readList(config, depth) ?? readPattern(config, depth) ?? readMixture(config) ?? readWindows(config);
}

function readList(config: ConfigFields, depth: number): KindOf | null {
  const named = config.list('layer_types', depth) ?? config.list('layers_block_type', depth);
  if (named !== null) return (index) => toKind(named[index]);
  // 1 is softmax attention, 0 lightning attention.
  const softmax = config.list('attn_type_list', depth);
  if (softmax !== null) return (index) => (softmax[index] === 1 ? 'full' : 'linear');
  const slides = config.list('hybrid_layer_pattern', depth);
  if (slides !== null) return (index) => (slides[index] === 1 ? 'window' : 'full');
  const blocks = config.list('block_types');
  return blocks === null || blocks.length === 0 ? null : (index) => toKind(blocks[index % blocks.length]);
}

function readPattern(config: ConfigFields, depth: number): KindOf | null {
  const letters = config.text('hybrid_override_pattern');
  if (letters === null) return null;
  if (letters.length !== depth) {
    throw new CapacityProblem(`config.json: 'hybrid_override_pattern' must have ${depth} letters, one for each layer`);
  }
  return (index) => toKind(letters[index], LETTERS);
}

/** Where attention stands among layers of another kind, and nothing lists the others. */
function readMixture(config: ConfigFields): KindOf | null {
  if (config.modelType === 'falcon_h1') return () => 'hybrid';
  // Numbered from 1.
  const numbered = config.part('linear_attn_config')?.list('full_attn_layers') ?? null;
  if (numbered !== null) return amongStates(new Set(numbered.map((number) => Number(number) - 1)));
  const attending = config.list('attn_layer_indices') ?? config.list('full_attn_idxs');
  if (attending !== null) return amongStates(new Set(attending));
  const interval = config.size('full_attention_interval') ?? 0;
  if (interval > 0) return (index) => ((index + 1) % interval === 0 ? 'full' : 'linear');
  const period = config.size('attn_layer_period') ?? 0;
  const offset = config.size('attn_layer_offset');
  if (period > 0 && offset !== null) return (index) => (index % period === offset ? 'full' : 'linear');
  refuseUnlistedStates(config);
  return null;
}

function amongStates(attending: ReadonlySet<unknown>): KindOf {
  return (index) => (attending.has(index) ? 'full' : 'linear');
}

/** Windows without a list: a pattern, every second layer, or all of them. */
function readWindows(config: ConfigFields): KindOf {
  const { modelType } = config;
  if (config.size('attention_chunk_size') !== null) {
    const step = config.size('no_rope_layer_interval') ?? 4;
    return (index) => ((index + 1) % step === 0 ? 'full' : 'chunk');
  }
  const isGemma3 = hasGemma3Defaults(config);
  const windowTokens = config.size('sliding_window') ?? (isGemma3 ? GEMMA3.windowTokens : 0);
  // Qwen's configs carry a window that is off unless they say so.
  const isOn = config.flag('use_sliding_window') ?? !modelType.startsWith('qwen');
  const isShort = windowTokens > 0 && windowTokens < (config.size('max_position_embeddings') ?? Infinity);
  if (!isOn || !isShort) return () => 'full';
  const pattern = config.size('sliding_window_pattern', '_sliding_window_pattern') ?? (isGemma3 ? GEMMA3.pattern : 0);
  if (pattern > 0) return (index) => ((index + 1) % pattern === 0 ? 'full' : 'window');
  if (['gemma2', 'gpt_oss'].includes(modelType)) return (index) => (index % 2 === 0 ? 'window' : 'full');
  const firstWindow = config.size('max_window_layers') ?? 0;
  return (index) => (index >= firstWindow ? 'window' : 'full');
}

function toKind(name: unknown, kinds = KINDS): Kind {
  const kind = typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  throw new CapacityProblem(
    `config.json: layer type '${String(name).slice(0, 60)}' is unknown; known are ${Object.keys(kinds).join(', ')}`,
  );
}
