/** Cuts bytes at seeded random places, so that a failure can be repeated from its seed. */

/** Creates a generator of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Splits a text's UTF-8 bytes into pieces of 1 to `bytesMax` bytes, in the middle of code points and line ends too. */
export function randomChunks(text: string, seed: number, bytesMax: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const random = seededRandom(seed);
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + Math.floor(random() * bytesMax);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}
