/** Conversations whose prompts grow turn by turn, so that prefix caches matter. */
import { drawLognormal, type Random } from '#devnet/random';
import { BLOCK_TOKENS, type Arrival } from './arrival.ts';
import { drawLength, type LengthShape } from './draws.ts';

const OPENING: LengthShape = { p50: 5_200, p99: 60_000, max: 100_000 };
const QUESTION: LengthShape = { p50: 400, p99: 6_000, max: 16_000 };
const ANSWER: LengthShape = { p50: 350, p99: 1_119, max: 2_000 };
const PROMPT_TOKENS_MAX = 126_000;
const MORE_TURNS = 0.5; // chance of another turn: two turns on average
const PAUSE_MS_P50 = 18_000;
const PAUSE_SIGMA = 0.8;
/** Conversations that name themselves (`session_id`); the others are recognised by their prompts. */
const NAMED_SHARE = 0.3;
/** Everybody's prompt begins with the same system prompt. */
const SHARED_BLOCK = 0;

/** Generates conversations that open at random times until there are enough turns. */
export function generateChats(random: Random, { count, rate }: { count: number; rate: number }): Arrival[] {
  const turnsMean = 1 / (1 - MORE_TURNS);
  const arrivals: Arrival[] = [];
  let opensAtMs = 0;
  let nextBlock = SHARED_BLOCK + 1;
  const takeBlocks = (blocks: readonly number[], tokens: number): number[] => {
    const wanted = Math.floor(tokens / BLOCK_TOKENS);
    return [...blocks, ...Array.from({ length: Math.max(0, wanted - blocks.length) }, () => nextBlock++)];
  };
  // Later turns of early conversations fall among the openings of late ones: enough openings for all, then cut.
  while (arrivals.length < count * 1.3 + 50) {
    opensAtMs += (-Math.log(1 - random()) * turnsMean * 1_000) / rate;
    const name = `chat-${nextBlock}`;
    const isNamed = random() < NAMED_SHARE;
    let atMs = opensAtMs;
    let promptTokens = drawLength(random, OPENING);
    let blocks: number[] = [SHARED_BLOCK];
    do {
      blocks = takeBlocks(blocks, promptTokens);
      const completionTokens = drawLength(random, ANSWER);
      arrivals.push({ atMs, promptTokens, completionTokens, blocks, ...(isNamed && { conversation: name }) });
      atMs += drawLognormal(random, PAUSE_MS_P50, PAUSE_SIGMA);
      promptTokens += completionTokens + drawLength(random, QUESTION);
    } while (promptTokens <= PROMPT_TOKENS_MAX && random() < MORE_TURNS);
  }
  return arrivals.toSorted((left, right) => left.atMs - right.atMs).slice(0, count);
}
