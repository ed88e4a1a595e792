/**
 * Signed reasoning, marked with who made it. Only its maker can read a signature, and clients echo it unmodified, so the mark
 * travels in the signature itself: `hr1:<operator>:<signature>`. It is put on only where another operator could be asked next time.
 */
const MARK = /^hr1:([A-Za-z0-9._-]{1,200}):/;

/** Puts the maker's mark on a signature or on encrypted reasoning. Marked ones stay as they are. */
export function markSignature(signature: string, operatorId: string): string {
  return signature === '' || MARK.test(signature) ? signature : `hr1:${operatorId}:${signature}`;
}

/** Names who made a signature; null when it bears no mark. */
export function signerOf(signature: string): string | null {
  return MARK.exec(signature.slice(0, 300))?.[1] ?? null;
}

/** Gives the signature as its maker issued it, or null when another operator made it. Unmarked ones are anybody's. */
export function ownSignature(signature: string, operatorId: string | undefined): string | null {
  const signer = signerOf(signature);
  if (signer === null) return signature;
  return signer === operatorId ? signature.replace(MARK, '') : null;
}
