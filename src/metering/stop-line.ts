/** Where a stream must stop: at what its hold pays for. The customer is never charged more than was held, so whatever goes on behind it is the house's. */
import type { Price } from '#schema/money';
import type { Usage } from '#schema/receipt';
import type { Segment } from './tally.ts';

const PICO_PER_NANO = 1000;
/**
 * Our count is at most this many times too high: it takes four Latin characters, two of other alphabets and one East Asian for a token, and over
 * a whole answer no tokenizer in use gets sixteen, eight and four into one. Longer tokens (runs of spaces, long words) come one by one.
 */
export const OVERCOUNT_MAX = 4;
/** The longest token in use has 128 characters, which we count as this many. */
export const LONGEST_TOKEN_COUNT = 32;
/** Tokens that an upstream may count beside those of the characters that came. */
const UNSEEN_TOKENS = 16;

/** How far the upstream that answers now may go. */
export interface StopLine {
  /** By our own count of what it has said. */
  countedTokensMost: number;
  /** By the usage that it reports while it goes on. */
  reportedTokensMost: number;
}

/** Never stops. */
export const NO_LINE: StopLine = Object.freeze({ countedTokensMost: Infinity, reportedTokensMost: Infinity });

export interface StopFacts {
  heldNanoUsd: number;
  /** Of the endpoint that answers now; null where nothing is charged for it. */
  price: Price | null;
  /** The estimate that was held for. */
  promptTokens: number;
  /** What others delivered of this answer before. */
  before: readonly Segment[];
}

/**
 * Draws the line for an endpoint, as if it served the whole answer: at the output tokens that the hold pays for beside the prompt. The hold
 * covers all the output that was asked for at this endpoint's price, so an upstream that keeps to it never gets there. What it reports is taken
 * at its word; our own count stops it only where it must have said more even if we counted `OVERCOUNT_MAX` times too much. A prompt that
 * turns out longer than estimated does not count: it has been read, and to stop saves nothing of it.
 */
export function stopLine({ heldNanoUsd, price, promptTokens, before }: StopFacts): StopLine {
  if (price === null || price.completionPicoUsdPerToken === 0) return NO_LINE;
  // The hold was rounded to a nano-USD; what that took away must not cost anybody a token.
  const heldPicoUsd = (heldNanoUsd + 1 - price.requestNanoUsd) * PICO_PER_NANO;
  const paidTokens = Math.ceil((heldPicoUsd - promptTokens * price.promptPicoUsdPerToken) / price.completionPicoUsdPerToken);
  const leftTokens = before.reduce((left, segment) => left - certainTokens(segment), Math.max(0, paidTokens));
  const reportedTokensMost = Math.max(0, leftTokens);
  return { countedTokensMost: reportedTokensMost * OVERCOUNT_MAX + LONGEST_TOKEN_COUNT, reportedTokensMost };
}

/** Tells whether an upstream has gone over its line by our count. Asked of every event. */
export function isOverByCount({ contentTokens, reasoningTokens }: Segment, line: StopLine): boolean {
  return contentTokens + reasoningTokens > line.countedTokensMost;
}

/** Tells whether an upstream has gone over its line by what it reports; a report that cannot be true of what has come stops nothing. */
export function isOverByReport({ completionTokens }: Usage, { deliveredChars }: Segment, line: StopLine): boolean {
  return completionTokens > line.reportedTokensMost && completionTokens <= deliveredChars + UNSEEN_TOKENS;
}

/** Tokens that were certainly generated for what was delivered. */
function certainTokens({ contentTokens, reasoningTokens }: Segment): number {
  return Math.max(0, Math.floor((contentTokens + reasoningTokens - LONGEST_TOKEN_COUNT) / OVERCOUNT_MAX));
}
