/** An engine's prefix cache: whole blocks of 512 tokens, the least recently used forgotten first, all of them after their time. */

/** Tokens in one block (vLLM and the Mooncake traces count in such blocks). */
export const BLOCK_TOKENS = 512;

export interface PrefixCache {
  /** Counts the leading blocks that are here, and keeps all blocks of the prompt from now on. */
  read(blocks: readonly number[], nowMs: number): number;
}

/** Creates an empty cache of at most `capacity` blocks. */
export function createPrefixCache({ blocks: capacity, ttlMs }: { blocks: number; ttlMs: number }): PrefixCache {
  /** Block id to when it was last used, oldest first. */
  const known = new Map<number, number>();
  return {
    read(blocks, nowMs) {
      let found = 0;
      let isPrefix = true;
      for (const block of blocks) {
        const usedAtMs = known.get(block);
        isPrefix &&= usedAtMs !== undefined && nowMs - usedAtMs <= ttlMs;
        if (isPrefix) found++;
        known.delete(block);
        known.set(block, nowMs);
      }
      for (const [stalest] of known) {
        if (known.size <= capacity) break;
        known.delete(stalest);
      }
      return found;
    },
  };
}
