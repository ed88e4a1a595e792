/** A session with a router and an engine made of a test's words. */
import { createSession, type Session, type SessionEvent } from '#cli/node/link/session';
import { createKeyPair, type KeyPair } from '#cli/node/identity/key-pair';
import type { AskEngine } from '#cli/node/link/engine-port';
import {
  BINARY,
  decodeBinary,
  encodeBinary,
  encodeCredit,
  LINK_PROTOCOL,
  splitBundle,
  type BinaryKind,
  type NodeToLink,
} from '#schema/node-link';
import type { NodeDescription } from '#schema/node';
import type { NodeLoad } from '#schema/node-service';

export const NODE = 'rig-4090';
export const ROUTER = 'https://router.example.com';

export const DESCRIPTION: NodeDescription = {
  agentVersion: '0.1.0',
  engine: { name: 'vllm', version: '0.20.2' },
  gpu: null,
  models: [
    {
      upstreamModel: 'Qwen/Qwen3-8B-FP8',
      context: 32_768,
      quantization: 'fp8',
      kvCache: 'fp8',
      capabilities: [],
      capacity: { poolTokens: null, maxSequences: null },
      measured: null,
      predicted: null,
    },
  ],
};

/** What has come back of one request. */
export interface Answered {
  status: number | null;
  headers: Record<string, string>;
  bytes: Uint8Array[];
  ended: boolean;
  reset: string | null;
}

export interface OpenedSession {
  session: Session;
  keys: KeyPair;
  events: SessionEvent[];
  frames: NodeToLink[];
  /** Binary messages as they were sent. */
  messages: Uint8Array[];
  /** Bytes of requests that the engine has read, credited so far. */
  credited: Map<number, number>;
  closed: { code: number; reason: string } | null;
  say(frame: object): void;
  binary(kind: BinaryKind, stream: number, payload?: Uint8Array): void;
  credit(stream: number, bytes: number): void;
  answered(stream: number): Answered;
  text(stream: number): string;
}

export interface SessionOptions {
  askEngine?: AskEngine;
  streamsMax?: number;
  load?: NodeLoad | null;
  isDraining?: () => boolean;
  trouble?: () => string | null;
  /** Whether the router takes what has changed. Default: no. */
  hearsChanges?: boolean;
  /** Whether the router takes many frames in one message. Default: no. */
  takesBundles?: boolean;
  /** Resolves when the connection takes more. Default: at once. */
  room?: () => Promise<void>;
  /** Stops before the handshake. */
  isNew?: boolean;
}

/** Opens a session; unless told otherwise, the router has let the node in. */
export function openSession(options: SessionOptions = {}): OpenedSession {
  const keys = createKeyPair();
  const answers = new Map<number, Answered>();
  const answered = (stream: number): Answered => {
    const known = answers.get(stream) ?? { status: null, headers: {}, bytes: [], ended: false, reset: null };
    answers.set(stream, known);
    return known;
  };
  const opened: OpenedSession = {
    keys,
    events: [],
    frames: [],
    messages: [],
    credited: new Map(),
    closed: null,
    session: createSession({
      socket: {
        send(message) {
          if (typeof message === 'string') readControl(message);
          else readMessage(message);
        },
        room: () => options.room?.() ?? Promise.resolve(),
        close: (code, reason) => void (opened.closed = { code, reason }),
      },
      routerHost: 'router.example.com',
      node: NODE,
      sign: keys.sign,
      standing: () => ({ description: DESCRIPTION, trouble: options.trouble?.() ?? null }),
      load: () => options.load ?? null,
      askEngine: options.askEngine ?? (async () => Response.json({ ok: true })),
      streamsMax: options.streamsMax ?? Infinity,
      isDraining: options.isDraining ?? (() => false),
      on: (event) => void opened.events.push(event),
    }),
    say: (frame) => opened.session.receive(JSON.stringify(frame)),
    binary: (kind, stream, payload) => opened.session.receive(encodeBinary(kind, stream, payload).buffer),
    credit: (stream, bytes) => opened.session.receive(encodeCredit(stream, bytes).buffer),
    answered,
    text: (stream) => Buffer.concat(answered(stream).bytes).toString('utf8'),
  };

  function readControl(text: string): void {
    if (text === 'ping') return;
    const frame = JSON.parse(text) as NodeToLink;
    opened.frames.push(frame);
    if (frame.type === 'head') Object.assign(answered(frame.stream), { status: frame.status, headers: frame.headers });
  }

  function readMessage(message: Uint8Array): void {
    opened.messages.push(message);
    const parts = splitBundle(message);
    if (parts === null) throw new Error('the node sent a bundle that cannot be taken apart');
    for (const part of parts) readBinary(part);
  }

  function readBinary(message: Uint8Array): void {
    const read = decodeBinary(message);
    if (read === null) throw new Error('the node sent a binary frame that cannot be read');
    const { kind, stream, payload } = read;
    if (kind === BINARY.data) answered(stream).bytes.push(payload.slice());
    if (kind === BINARY.head) Object.assign(answered(stream), JSON.parse(new TextDecoder().decode(payload)));
    if (kind === BINARY.end) answered(stream).ended = true;
    if (kind === BINARY.reset) answered(stream).reset = new TextDecoder().decode(payload);
    if (kind === BINARY.credit) {
      const bytes = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
      opened.credited.set(stream, (opened.credited.get(stream) ?? 0) + bytes);
    }
  }

  if (options.isNew !== true) {
    const { hearsChanges, takesBundles } = options;
    opened.say({ type: 'challenge', protocol: LINK_PROTOCOL, nonce: 'n'.repeat(32), router: ROUTER, hearsChanges, takesBundles });
    opened.say({ type: 'welcome', node: NODE, drained: false, endpoints: [NODE] });
  }
  return opened;
}

/** Builds a request frame. */
export function request(stream: number, more: object = {}): object {
  return {
    type: 'request',
    stream,
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    ...more,
  };
}
