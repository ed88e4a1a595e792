/** Arrivals as the simulator takes them: numbered, in order, with what a router could know of their conversations. */
import type { SimRequest } from '#bench/sim/contract';
import { hashText } from '#devnet/random';
import { BLOCK_TOKENS, type Arrival } from './arrival.ts';

const TEAMS = 10;

/**
 * Turns arrivals, sorted by time, into requests. A conversation is recognised by its name or by the first two blocks of its prompt (the first
 * alone is often one system prompt that everybody shares); its prefix is what it has in common with earlier prompts. Clients state no limit.
 */
export function toRequests(arrivals: readonly Arrival[]): SimRequest[] {
  const seenBlocks = new Set<number>();
  return arrivals.map(({ atMs, promptTokens, completionTokens, blocks = [], conversation: name }, id) => {
    const conversation = name ?? (blocks.length < 2 ? null : `blocks-${blocks[0]}-${blocks[1]}`);
    const prefixTokens = Math.min(promptTokens, seenPrefix(blocks, seenBlocks) * BLOCK_TOKENS);
    for (const block of blocks) seenBlocks.add(block);
    return {
      id,
      arrivedAtMs: atMs,
      teamId: teamOf(conversation ?? String(id)),
      promptTokens,
      outputTokens: completionTokens,
      maxTokens: null,
      conversation,
      prefixTokens: conversation === null ? 0 : prefixTokens,
      blocks,
    };
  });
}

function seenPrefix(blocks: readonly number[], seen: ReadonlySet<number>): number {
  const firstNew = blocks.findIndex((block) => !seen.has(block));
  return firstNew < 0 ? blocks.length : firstNew;
}

/** A few teams send most of the traffic, as everywhere: the share of each is half of the one before. */
function teamOf(caller: string): string {
  const draw = hashText(caller) / 2 ** 32;
  return `team-${Math.min(TEAMS, Math.ceil(-Math.log2(1 - draw)) || 1)}`;
}
