/** Base64 (RFC 4648 §4) between text and bytes, where no platform offers it everywhere yet. */

/** Arguments of one call; engines allow at least twice as many. */
const SLICE_BYTES = 0x8000;

/** Encodes bytes, with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) binary += String.fromCharCode(...bytes.subarray(at, at + SLICE_BYTES));
  return btoa(binary);
}

/** Decodes text; null when it is not base64. White space and missing padding are forgiven. */
export function fromBase64(text: string): Uint8Array | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
