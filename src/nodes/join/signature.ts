/** Ed25519 signatures of nodes. */
import { fromBase64 } from '#schema/base64';

/** Checks the signature of a node over a statement; both are base64, the key raw. False also for what is no key or no signature. */
export async function isSignedBy(publicKey: string, signature: string, statement: string): Promise<boolean> {
  const [keyBytes, signatureBytes] = [fromBase64(publicKey), fromBase64(signature)];
  if (keyBytes === null || signatureBytes === null) return false;
  try {
    const key = await crypto.subtle.importKey('raw', keyBytes, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signatureBytes, new TextEncoder().encode(statement));
  } catch {
    return false;
  }
}
