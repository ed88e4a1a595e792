/**
 * The fingerprint of a model: what it holds likely after a few short prompts. Two endpoints of one model hold much the same likely, whatever
 * engine, batch and quantization lie between them; another model does not. Pure.
 */
import { z } from 'zod';
import type { KvCodec, Quantization } from '#schema/catalog';
import { qualityOf, type CodecClass } from '#schema/codec-quality';

/** One place of an answer: what was said there, and what might have been. */
export interface Place {
  token: string;
  /** Token → probability, of the likeliest ones; the token that was said is among them. */
  likely: ReadonlyMap<string, number>;
}

/** An answer, place by place. */
export type Fingerprint = readonly Place[];

/** What lies between an endpoint and its model. */
export interface Precision {
  quantization: Quantization;
  kvCache: KvCodec;
}

const entry = z.looseObject({ token: z.string().max(1_000), logprob: z.number().max(1e-3) });
const logprobs = z.looseObject({
  content: z.array(entry.extend({ top_logprobs: z.array(entry).max(64).nullish() })).max(1_000),
});

/** Places that are compared at most. */
const PLACES_MAX = 64;
/** Places by which two answers can be told apart, over all prompts. */
const PLACES_MIN = 4;

/** Reads OpenAI's `logprobs` of one answer; null where there are none, or none that can be. */
export function readFingerprint(value: unknown): Fingerprint | null {
  const read = logprobs.safeParse(value);
  if (!read.success || read.data.content.length === 0) return null;
  return read.data.content.slice(0, PLACES_MAX).map(({ token, logprob, top_logprobs: top }) => {
    const likely = new Map<string, number>();
    for (const one of [{ token, logprob }, ...(top ?? [])]) likely.set(plain(one.token), Math.min(1, Math.exp(one.logprob)));
    return { token: plain(token), likely };
  });
}

/** Engines write a token's space as it is, or as the tokenizers do. */
function plain(token: string): string {
  return token.replaceAll(/[Ġ▁]/g, ' ').replaceAll('Ċ', '\n');
}

/**
 * Measures how far apart two endpoints are, from 0 to 1: the mean total variation distance of what they held likely, over the places at which both
 * had said the same so far; what comes after a parting is about different texts. Null where there is too little to compare.
 */
export function distanceOf(ours: readonly Fingerprint[], theirs: readonly Fingerprint[]): number | null {
  const distances: number[] = [];
  for (const [prompt, mine] of ours.entries()) {
    const other = theirs[prompt] ?? [];
    for (const [place, seen] of mine.entries()) {
      const there = other[place];
      if (there === undefined) break;
      distances.push(variation(seen, there));
      if (seen.token !== there.token) break;
    }
  }
  return distances.length < Math.min(PLACES_MIN, ours.length) ? null : distances.reduce((sum, one) => sum + one, 0) / distances.length;
}

/** Half of what the probabilities differ by; of what only one side lists, the other is taken to hold no more than the least that it does list. */
function variation({ likely: ours }: Place, { likely: theirs }: Place): number {
  const [ourLeast, theirLeast] = [leastOf(ours), leastOf(theirs)];
  let sum = 0;
  for (const token of new Set([...ours.keys(), ...theirs.keys()])) {
    const [mine, other] = [ours.get(token), theirs.get(token)];
    if (mine !== undefined && other !== undefined) sum += Math.abs(mine - other);
    else sum += Math.max(0, (mine ?? other ?? 0) - (mine === undefined ? ourLeast : theirLeast));
  }
  return Math.min(1, sum / 2);
}

function leastOf(likely: ReadonlyMap<string, number>): number {
  return Math.min(...likely.values());
}

/**
 * What a precision costs, as the relative rise of perplexity. KV codecs by class: vLLM's presets cost 1.17 % (k8v4), 2.71 % (4bit_nc) and 20.59 %
 * (3bit_nc). Weights: a choice; published checkpoints of 8 bits lose less than half a percent, of 4 bits two or three.
 */
const CODEC_COSTS: Readonly<Record<CodecClass, number>> = {
  lossless: 0,
  near_lossless: 0.0117,
  light: 0.0271,
  heavy: 0.2059,
  unknown: 0.0271,
};
const EXACT_WEIGHTS: ReadonlySet<Quantization> = new Set(['fp16', 'bf16', 'fp32']);
const BYTE_WEIGHTS: ReadonlySet<Quantization> = new Set(['int8', 'fp8', 'mxfp8']);
const BYTE_WEIGHTS_COST = 0.005;
const SMALL_WEIGHTS_COST = 0.03;
/** What batches, kernels and templates do to the same weights, and few places to a mean. A choice. */
const DISTANCE_OF_THE_SAME = 0.1;
/** Whatever lies between them: farther apart nothing is the same model. */
const TOLERANCE_MAX = 0.45;

/**
 * Says how far apart two endpoints of one model may be. Perplexity rises by a factor of e to the divergence, and total variation is at most the root
 * of half the divergence (Pinsker).
 */
export function toleranceOf(ours: Precision, theirs: Precision): number {
  const divergence = [ours, theirs].reduce(
    (sum, one) => sum + Math.log1p(CODEC_COSTS[qualityOf(one.kvCache)]) + Math.log1p(weightsCost(one)),
    0,
  );
  return Math.min(TOLERANCE_MAX, DISTANCE_OF_THE_SAME + Math.sqrt(divergence / 2));
}

function weightsCost({ quantization }: Precision): number {
  if (EXACT_WEIGHTS.has(quantization)) return 0;
  return BYTE_WEIGHTS.has(quantization) ? BYTE_WEIGHTS_COST : SMALL_WEIGHTS_COST;
}
