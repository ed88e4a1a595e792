/** Prefix caching as vLLM does it: whole blocks, hashed in a chain, least recently used first out. */
import { BLOCK_TOKENS } from './capacity.ts';
import { hashText } from './random.ts';

const BLOCK_CHARACTERS = BLOCK_TOKENS * 4;

/** Remembers which prompt prefixes have been read. */
export interface PrefixCache {
  /** Counts the leading tokens that are in the cache, and puts the whole prompt into it. Always fewer than the prompt has. */
  match(prompt: string): number;
}

/** Creates an empty cache of at most `blocksMax` blocks. */
export function createPrefixCache(blocksMax: number): PrefixCache {
  const blocks = new Set<string>();
  return {
    match(prompt) {
      let matched = 0;
      let matching = true;
      let hash = hashText('');
      let check = 0;
      for (let end = BLOCK_CHARACTERS; end < prompt.length; end += BLOCK_CHARACTERS) {
        const block = prompt.slice(end - BLOCK_CHARACTERS, end);
        // Two chained 32-bit hashes, since one alone would collide among some ten thousand blocks.
        check = hashText(block, hash ^ check);
        hash = hashText(block, hash);
        const key = `${hash}:${check}`;
        matching &&= blocks.delete(key);
        if (matching) matched += BLOCK_TOKENS;
        blocks.delete(key);
        blocks.add(key);
      }
      for (const oldest of blocks) {
        if (blocks.size <= blocksMax) break;
        blocks.delete(oldest);
      }
      return matched;
    },
  };
}
