/** Indices of a few bits each, side by side in octets, lowest bits first. */

/** Packs indices of `bits` bits (1 to 8). The last octet is filled with zeros. */
export function packBits(indices: ArrayLike<number>, bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((indices.length * bits) / 8));
  for (let place = 0; place < indices.length; place++) {
    const at = place * bits;
    const shifted = (indices[place] as number) << (at & 7);
    (bytes[at >> 3] as number) |= shifted & 0xff;
    if (shifted > 0xff) (bytes[(at >> 3) + 1] as number) |= shifted >> 8;
  }
  return bytes;
}

/** Unpacks `count` indices. */
export function unpackBits(bytes: Uint8Array, bits: number, count: number): Uint8Array {
  const mask = (1 << bits) - 1;
  return Uint8Array.from({ length: count }, (_, place) => {
    const at = place * bits;
    const pair = (bytes[at >> 3] as number) | ((bytes[(at >> 3) + 1] ?? 0) << 8);
    return (pair >> (at & 7)) & mask;
  });
}
