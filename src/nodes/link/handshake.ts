/** Whether whoever has dialled is the node: what is asked of it, and whether its answer holds. */
import { HELLO_TIMEOUT_MS, LINK_PROTOCOL, linkStatement, type LinkToNode, type NodeToLink } from '#schema/node-link';
import { isSignedBy } from '../join/signature.ts';
import type { Challenged } from './attachment.ts';
import type { KnownNode } from './link-store.ts';

export type Hello = Extract<NodeToLink, { type: 'hello' }>;

const NONCE_BYTES = 32;

/** Makes the challenge of a new connection: never the same twice, and bound to the address that was dialled. */
export function challengeFor(
  nodeId: string,
  { router, source, nowMs }: { router: string; source: string; nowMs: number },
): { state: Challenged; frame: LinkToNode } {
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    state: { phase: 'challenged', nodeId, router, nonce, source, atMs: nowMs },
    frame: { type: 'challenge', protocol: LINK_PROTOCOL, nonce, router, hearsChanges: true, takesBundles: true },
  };
}

/** Says why a hello is refused; null when it is the node's own answer to this very challenge. */
export async function refusalOf(
  hello: Hello,
  { nodeId, router, nonce, atMs }: Challenged,
  node: KnownNode,
  nowMs: number,
): Promise<string | null> {
  if (hello.protocol !== LINK_PROTOCOL) return `this router speaks version ${LINK_PROTOCOL} of the link protocol`;
  if (hello.node !== nodeId) return 'the hello is another node’s';
  if (nowMs - atMs > HELLO_TIMEOUT_MS) return 'the hello came too late';
  const isSigned = await isSignedBy(node.publicKey, hello.signature, linkStatement({ router, node: nodeId, nonce }));
  return isSigned ? null : 'the signature is not this node’s';
}
