/** A supplier's own list of models, as every way of writing one is read: what it serves and what it asks for it. Prices are exact integers or unknown. */
import type { Capability, Quantization } from './catalog.ts';
import type { PricedUnit } from './manifest.ts';

/** Prices as a list states them. Null: not stated, which is never free. */
export interface ListedPrices {
  promptPicoUsdPerToken: number | null;
  completionPicoUsdPerToken: number | null;
  cacheReadPicoUsdPerToken: number | null;
  cacheWritePicoUsdPerToken: number | null;
  requestNanoUsd: number | null;
  /** What is billed besides tokens: pico-USD for one of it. */
  unit: { unit: PricedUnit; picoUsd: number } | null;
  /** Which prices of the cache are stated and cannot be read: null is then no statement that there is none. */
  unreadable?: readonly ('cacheRead' | 'cacheWrite')[];
}

/** One model of a list. */
export interface ListedModel extends ListedPrices {
  /** What the supplier calls it. */
  upstreamModel: string;
  name: string | null;
  /** What others call it, the likeliest first: the list's own words, and the id itself. */
  aliases: readonly string[];
  /** Whether zero is its price; null where nothing says so, and zero then counts as unknown. */
  isFree: boolean | null;
  /** Tokens; null where the list does not say. */
  context: number | null;
  maxOutput: number | null;
  quantization: Quantization | null;
  inputModalities: readonly string[] | null;
  outputModalities: readonly string[] | null;
  capabilities: readonly Capability[];
}

/** A list that has been read. */
export interface FeedReading {
  models: ListedModel[];
  /** What could not be believed, one sentence each, for people. Bounded. */
  problems: string[];
}
