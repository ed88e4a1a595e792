/** Short names for long ones: cheap, not cryptographic. Bryc's cyrb53 without its last cut (public domain). */

/** Digests a text to 64 bits as 16 hex digits, so that what is shared between isolates never holds the name of a tenant. */
export function digest64(text: string): string {
  const [high, low] = mix(text);
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** Digests a text to 32 bits. */
export function digest32(text: string): number {
  return mix(text)[1];
}

function mix(text: string): [number, number] {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let place = 0; place < text.length; place++) {
    const unit = text.charCodeAt(place);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return [high >>> 0, low >>> 0];
}
