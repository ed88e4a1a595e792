/** A node's identity: an Ed25519 key pair. RFC 8032. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';

/** A key pair that signs. The private half leaves it only through `save`. */
export interface KeyPair {
  /** Raw public key, base64. */
  publicKey: string;
  /** Signs a text; base64. */
  sign(statement: string): string;
  /** PKCS #8, base64, for the key file alone. */
  save(): string;
}

/** Makes a new pair. */
export function createKeyPair(): KeyPair {
  return toKeyPair(generateKeyPairSync('ed25519').privateKey);
}

/** Opens what `save` has written. Throws for anything else. */
export function openKeyPair(saved: string): KeyPair {
  const key = createPrivateKey({ key: Buffer.from(saved, 'base64'), format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
  return toKeyPair(key);
}

function toKeyPair(key: KeyObject): KeyPair {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: Buffer.from(x, 'base64url').toString('base64'),
    sign: (statement) => signBytes(null, Buffer.from(statement), key).toString('base64'),
    save: () => key.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  };
}
