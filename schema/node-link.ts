/**
 * The wire between a node and its NodeLink: one WebSocket that the node opens, many requests on it at once.
 * Text messages are control frames (JSON); binary messages carry answers and bodies: one octet kind, four octets stream number (big endian), then the
 * payload. A node may bundle those that it has to send at one moment.
 * Each direction of a stream may be `WINDOW_BYTES` ahead of what the other side has consumed and given credit for.
 */
import { z } from 'zod';
import { nodeDescription, nodeId, nodeTrouble } from './node.ts';
import { nodeLoad } from './node-service.ts';

/** Raised with every change that one side cannot tell the other of; sides of different versions refuse each other in words. */
export const LINK_PROTOCOL = 1;

/** Body bytes of one binary message at most, and of one control frame. */
export const CHUNK_BYTES_MAX = 64 * 1024;
export const CONTROL_CHARS_MAX = 256 * 1024;
/** Length of a bundle at most. */
export const BUNDLE_BYTES_MAX = 2 * CHUNK_BYTES_MAX;
/** Octets that a bundle adds for itself, and for each of its parts. */
export const BUNDLE_HEAD_BYTES = 5;
export const BUNDLE_PART_BYTES = 4;
/** A stream may be this far ahead of its reader. */
export const WINDOW_BYTES = 256 * 1024;
/** A reader gives credit once it has consumed this much since it last did: each credit wakes the other side, and half a window keeps it sending. */
export const CREDIT_STEP_BYTES = 128 * 1024;
/** Unread bytes of all streams together that one side keeps at most; past it the stream with the most unread bytes is reset. */
export const LINK_BUFFER_BYTES_MAX = 32 * 1024 * 1024;
/** A request body up to this long travels inside its `request` frame. */
export const INLINE_BODY_CHARS_MAX = 48 * 1024;
/** Requests that one node serves at once at most. */
export const STREAMS_MAX = 1_024;
/** How often a node tells its load while it works, and sooner when it changes much. A node that turns idle says so once and is silent then. */
export const LOAD_INTERVAL_MS = 5_000;
/** How often a node pings. A side that has heard nothing for `SILENCE_LIMIT_MS`, not even a ping or pong, closes the link. */
export const PING_INTERVAL_MS = 10_000;
export const SILENCE_LIMIT_MS = 30_000;
/** A node that has not said hello by then is let go. */
export const HELLO_TIMEOUT_MS = 10_000;
/** Text messages that neither side needs to wake up for. */
export const PING = 'ping';
export const PONG = 'pong';

/** Why a link was closed; WebSocket close codes of the private range. */
export const LINK_CLOSE = {
  /** The signature, the node or the protocol was refused: do not come again without being told to. */
  refused: 4001,
  /** Another process has joined with the same identity, and it is the one that counts: do not come again. */
  replaced: 4002,
  /** A frame that no honest agent sends. */
  violation: 4003,
  /** The node has left or was removed. */
  gone: 4004,
  /** Too many connections in a row: come again after a pause. */
  tooOften: 4005,
  /** Nothing was heard of the node for `SILENCE_LIMIT_MS`. */
  silent: 4006,
} as const;

/** Where an engine's API stands for whoever asks it over its link; the host means nothing there. */
export const NODE_URL = 'http://node/v1';

/** Paths that a node serves, whatever is asked; a node that is asked for another answers 404. */
export const LINK_PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/models', '/health', '/metrics'] as const;

/** Headers of a request that reach the engine; everything else stays here. */
export const LINK_REQUEST_HEADERS = ['accept', 'authorization', 'content-type', 'x-api-key', 'x-request-id'] as const;
/** Headers of an engine's answer that reach the router; everything else is dropped on both sides. */
export const LINK_RESPONSE_HEADERS = ['content-type', 'retry-after', 'retry-after-ms', 'x-request-id', 'x-should-retry'] as const;

/**
 * Kinds of binary messages. Streams are numbered by the NodeLink, rising on one connection, with gaps, never twice. A stream is over when its
 * answer has ended or either side has reset it; frames that were on their way then are ignored.
 */
export const BINARY = {
  /** Payload: bytes of a body. Request bodies flow to the node, response bodies from it. */
  data: 1,
  /** No payload: the body is whole. */
  end: 2,
  /** Payload: four octets, bytes that the receiver of a body has consumed. */
  credit: 3,
  /** Payload: a short reason, UTF-8. From the NodeLink: the client has left. From the node: the answer breaks off. The stream is over, unanswered. */
  reset: 4,
  /** Payload: status and headers of an answer as JSON (`answerHead`). From the node, in place of a `head` frame: binary, so that it can be bundled. */
  head: 5,
  /** Stream 0. Payload: binary messages that a node had to send at the same moment, each after four octets for its length. None is a bundle. */
  bundle: 6,
} as const;
export type BinaryKind = (typeof BINARY)[keyof typeof BINARY];

const stream = z.int().positive().max(0xffff_ffff);
const headers = z.record(z.string().max(200), z.string().max(8_192));

/** What a NodeLink says. */
export const linkToNode = z.discriminatedUnion('type', [
  /**
   * First frame of a connection. `nonce` is signed by the node, which first compares the host of `router`, an origin, with the one that it dialled.
   * `hearsChanges`: this side takes `trouble` in a hello, and `describe` frames; a node sends neither to one that does not say so.
   * `takesBundles`: the same of `BINARY.bundle` and `BINARY.head`.
   */
  z.object({
    type: z.literal('challenge'),
    protocol: z.int(),
    nonce: z.string().min(16).max(200),
    router: z.string().max(300),
    hearsChanges: z.boolean().optional(),
    takesBundles: z.boolean().optional(),
  }),
  z.object({ type: z.literal('welcome'), node: nodeId, drained: z.boolean(), endpoints: z.array(z.string().max(200)).max(200) }),
  /** `body`: the whole body as text. Absent: exactly `bodyBytes` follow as data frames and an end; where both are absent there is none. */
  z.object({
    type: z.literal('request'),
    stream,
    method: z.enum(['GET', 'POST']),
    path: z.string().max(300),
    headers,
    body: z.string().max(INLINE_BODY_CHARS_MAX).optional(),
    bodyBytes: z.int().nonnegative().optional(),
  }),
  /** The operator has asked for a drain through the API: finish what is under way, get nothing new. `false` takes it back. */
  z.object({ type: z.literal('drain'), on: z.boolean() }),
  /** How an endpoint of this node stands, told when it changes. */
  z.object({ type: z.literal('state'), endpoint: z.string().max(200), state: z.string().max(40), reason: z.string().max(500).nullable() }),
]);
export type LinkToNode = z.infer<typeof linkToNode>;

const nodeHead = z.strictObject({ type: z.literal('head'), stream, status: z.int().min(100).max(599), headers });

/** What a node says. */
export const nodeToLink = z.discriminatedUnion('type', [
  /** Answer to the challenge; `signature` is base64 over `linkStatement`. */
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.int(),
    node: nodeId,
    signature: z.string().min(20).max(200),
    description: nodeDescription,
    load: nodeLoad.nullable(),
    /** Why it can serve nothing now; absent or null where it can. */
    trouble: nodeTrouble.nullable().optional(),
  }),
  nodeHead,
  z.strictObject({ type: z.literal('load'), load: nodeLoad.nullable() }),
  /** The node finishes what is under way and takes nothing new. `false` takes it back. */
  z.strictObject({ type: z.literal('drain'), on: z.boolean() }),
  /** What stands behind the node is another thing than it has said before, or can serve nothing now, which `trouble` explains; null: it can. */
  z.strictObject({ type: z.literal('describe'), description: nodeDescription, trouble: nodeTrouble.nullable() }),
]);
export type NodeToLink = z.infer<typeof nodeToLink>;

/** Payload of a binary head. */
export const answerHead = nodeHead.omit({ type: true, stream: true });
export type AnswerHead = z.infer<typeof answerHead>;

/** The text that a node signs (Ed25519) to open a link: bound to the router that it dialled, so that nobody in between can pass it on. */
export function linkStatement({ router, node, nonce }: { router: string; node: string; nonce: string }): string {
  return `headrace node link ${LINK_PROTOCOL}\n${router}\n${node}\n${nonce}`;
}

/** The text that a node signs for a request of its own (`Authorization: Node <id>.<epoch ms>.<signature>`). */
export function requestStatement({ node, atMs, method, path }: { node: string; atMs: number; method: string; path: string }): string {
  return `headrace node request ${LINK_PROTOCOL}\n${node}\n${atMs}\n${method} ${path}`;
}

/** Builds a binary message. */
export function encodeBinary(kind: BinaryKind, streamNumber: number, payload?: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(5 + (payload?.length ?? 0));
  message[0] = kind;
  new DataView(message.buffer).setUint32(1, streamNumber);
  if (payload !== undefined) message.set(payload, 5);
  return message;
}

/** Builds a credit message over `bytes`. */
export function encodeCredit(streamNumber: number, bytes: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(9);
  const view = new DataView(message.buffer);
  message[0] = BINARY.credit;
  view.setUint32(1, streamNumber);
  view.setUint32(5, bytes);
  return message;
}

export interface BinaryMessage {
  kind: number;
  stream: number;
  payload: Uint8Array;
}

/** Puts binary messages into one. */
export function encodeBundle(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bundle = new Uint8Array(messages.reduce((size, { length }) => size + BUNDLE_PART_BYTES + length, BUNDLE_HEAD_BYTES));
  const view = new DataView(bundle.buffer);
  bundle[0] = BINARY.bundle;
  let offset = BUNDLE_HEAD_BYTES;
  for (const message of messages) {
    view.setUint32(offset, message.length);
    bundle.set(message, offset + BUNDLE_PART_BYTES);
    offset += BUNDLE_PART_BYTES + message.length;
  }
  return bundle;
}

/** Takes a message apart, without copying; one that is no bundle is its own only part. Null for a bundle that is too long, or cut off. */
export function splitBundle(message: ArrayBuffer | Uint8Array): Uint8Array[] | null {
  const bytes = message instanceof Uint8Array ? message : new Uint8Array(message);
  if (bytes[0] !== BINARY.bundle) return [bytes];
  if (bytes.length > BUNDLE_BYTES_MAX) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  let offset = BUNDLE_HEAD_BYTES;
  while (offset + BUNDLE_PART_BYTES <= bytes.length) {
    const from = offset + BUNDLE_PART_BYTES;
    offset = from + view.getUint32(offset);
    parts.push(bytes.subarray(from, offset));
  }
  return offset === bytes.length ? parts : null;
}

/** Reads a binary message; null when it is shorter than its head or longer than may be. */
export function decodeBinary(message: ArrayBuffer | Uint8Array): BinaryMessage | null {
  const bytes = message instanceof Uint8Array ? message : new Uint8Array(message);
  if (bytes.length < 5 || bytes.length > 5 + CHUNK_BYTES_MAX) return null;
  const stream = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return { kind: bytes[0] as number, stream, payload: bytes.subarray(5) };
}

/** Reads the payload of a credit message, bytes; null where it is not four octets. */
export function readCredit(payload: Uint8Array): number | null {
  return payload.length === 4 ? new DataView(payload.buffer, payload.byteOffset).getUint32(0) : null;
}
