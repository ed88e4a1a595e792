/** A fast digest of 64 bits that is not meant to withstand anybody who searches for collisions, only to tell texts apart. */

const START = [0x9e3779b9, 0x85ebca6b] as const;
const FACTOR = [0x01000193, 0xcc9e2d51] as const;

/**
 * Digests a list of texts to 16 hex digits, two characters a step in two lanes; the same list gives the same digest everywhere. Lengths
 * count, so that moving a character from one text to the next changes it.
 */
export function digest(texts: readonly string[]): string {
  let left = START[0] | 0;
  let right = START[1] | 0;
  for (const text of texts) {
    const { length } = text;
    left = Math.imul(rotate(left, 13) ^ length, FACTOR[0]);
    right = Math.imul(rotate(right, 17) ^ length, FACTOR[1]);
    for (let at = 0; at < length; at += 2) {
      const pair = text.charCodeAt(at) | (at + 1 < length ? text.charCodeAt(at + 1) << 16 : 0);
      left = Math.imul(rotate(left, 13) ^ pair, FACTOR[0]);
      right = Math.imul(rotate(right, 17) ^ pair, FACTOR[1]);
    }
  }
  return hex(finish(left ^ rotate(right, 7))) + hex(finish(right ^ rotate(left, 11)));
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Lets every bit change every other. MurmurHash3's finaliser. */
function finish(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
