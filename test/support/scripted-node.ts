/** A node made of a script: a real WebSocket to a real router, with every step of the protocol in the test's hands. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import {
  BINARY,
  CHUNK_BYTES_MAX,
  decodeBinary,
  encodeBinary,
  encodeCredit,
  LINK_PROTOCOL,
  linkStatement,
  readCredit,
  WINDOW_BYTES,
  type LinkToNode,
  type NodeToLink,
} from '#schema/node-link';
import type { NodeDescription } from '#schema/node';
import type { NodeLoad } from '#schema/node-service';

export interface NodeIdentity {
  node: string;
  privateKey: KeyObject;
  /** Raw, base64, as D1 keeps it. */
  publicKey: string;
}

/** Makes a key pair for a node. */
export function makeIdentity(node: string): NodeIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from((publicKey.export({ format: 'jwk' }) as { x: string }).x, 'base64url');
  return { node, privateKey, publicKey: raw.toString('base64') };
}

/** Makes nodes known to a router, as joining does. */
export async function admitNode(db: D1Database, { node, publicKey }: NodeIdentity, operatorId = 'ops'): Promise<void> {
  await db
    .prepare('INSERT OR REPLACE INTO nodes (id, operator_id, public_key, description, drained, joined_at_ms) VALUES (?1, ?2, ?3, ?4, 0, 1)')
    .bind(node, operatorId, publicKey, JSON.stringify(DESCRIPTION))
    .run();
}

export const DESCRIPTION: NodeDescription = {
  agentVersion: '0.0.0-test',
  engine: { name: 'vllm', version: '0.20.1' },
  gpu: null,
  models: [
    {
      upstreamModel: 'echo-1-upstream',
      context: 32_768,
      quantization: 'unknown',
      kvCache: 'unknown',
      capabilities: [],
      capacity: { poolTokens: null, maxSequences: null },
      measured: null,
      predicted: null,
    },
  ],
};

/** A request that has come over the link. */
export interface NodeRequest {
  stream: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  /** The whole body; credit for it is given as it comes. */
  body: Promise<string>;
  /** Set when the router has reset the stream. */
  left: AbortSignal;
  head(status?: number, headers?: Record<string, string>): void;
  /** Sends bytes as far as the window allows; resolves when all are sent, false when the stream is over. */
  data(bytes: Uint8Array | string): Promise<boolean>;
  end(): void;
  reset(reason?: string): void;
}

export interface LinkOptions {
  /** Origin of the router. */
  router: string;
  identity: NodeIdentity;
  /** Answers requests. Default: 200 with the words `ok`. */
  serve?: (request: NodeRequest) => unknown;
  load?: NodeLoad | null;
  /** Says hello in another way; null says nothing. */
  hello?: (challenge: { nonce: string; router: string }) => object | null;
}

export interface ScriptedNode {
  /** Resolves with the router's welcome; rejects when the link is closed before. */
  welcome: Promise<Extract<LinkToNode, { type: 'welcome' }>>;
  closed: Promise<{ code: number; reason: string }>;
  /** Everything that the router has said, control frames only. */
  said: LinkToNode[];
  /** Credits that came, bytes. */
  credits: number[];
  /** WebSocket extensions that were agreed on. */
  extensions(): string;
  /** Answers to pings so far. */
  pongs(): number;
  say(frame: NodeToLink): void;
  /** Sends anything. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** Closes the link as a killed process does: at once. */
  close(): void;
}

interface Served {
  windowBytes: number;
  wake: (() => void) | null;
  body: Uint8Array[];
  whole(body: string): void;
  left: AbortController;
}

/** Dials a router and serves. */
export function linkNode({ router, identity, serve = answerOk, load = null, hello = helloOf(identity, load) }: LinkOptions): ScriptedNode {
  const socket = new WebSocket(`${router.replace(/^http/, 'ws')}/v1/nodes/${identity.node}/link`);
  socket.binaryType = 'arraybuffer';
  const said: LinkToNode[] = [];
  const credits: number[] = [];
  let pongs = 0;
  const open = new Map<number, Served>();
  const welcome = Promise.withResolvers<Extract<LinkToNode, { type: 'welcome' }>>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  welcome.promise.catch(() => undefined);

  const send = (message: string | Uint8Array<ArrayBuffer>) => socket.readyState === WebSocket.OPEN && socket.send(message);
  const say = (frame: object) => send(JSON.stringify(frame));

  function begin(frame: Extract<LinkToNode, { type: 'request' }>): void {
    const { stream, method, path, headers } = frame;
    const body = Promise.withResolvers<string>();
    const served: Served = { windowBytes: WINDOW_BYTES, wake: null, body: [], whole: body.resolve, left: new AbortController() };
    open.set(stream, served);
    if (frame.bodyBytes === undefined) body.resolve(frame.body ?? '');
    const isOver = () => served.left.signal.aborted || socket.readyState !== WebSocket.OPEN;
    const request: NodeRequest = {
      stream,
      method,
      path,
      headers,
      body: body.promise,
      left: served.left.signal,
      head: (status = 200, of = { 'content-type': 'application/json' }) => say({ type: 'head', stream, status, headers: of }),
      async data(bytes) {
        let left = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
        while (left.length > 0 && !isOver()) {
          const piece = left.subarray(0, Math.min(served.windowBytes, CHUNK_BYTES_MAX));
          if (piece.length === 0) {
            await new Promise<void>((resolve) => (served.wake = resolve));
            continue;
          }
          served.windowBytes -= piece.length;
          send(encodeBinary(BINARY.data, stream, piece));
          left = left.subarray(piece.length);
        }
        return !isOver();
      },
      end() {
        send(encodeBinary(BINARY.end, stream));
        open.delete(stream);
      },
      reset(reason = 'the engine broke off') {
        send(encodeBinary(BINARY.reset, stream, new TextEncoder().encode(reason)));
        open.delete(stream);
      },
    };
    void serve(request);
  }

  function receive(message: ArrayBuffer): void {
    const frame = decodeBinary(message);
    const served = frame === null ? undefined : open.get(frame.stream);
    if (frame === null || served === undefined) return;
    if (frame.kind === BINARY.data) {
      served.body.push(frame.payload);
      send(encodeCredit(frame.stream, frame.payload.length));
    } else if (frame.kind === BINARY.end) {
      served.whole(Buffer.concat(served.body).toString());
    } else if (frame.kind === BINARY.credit) {
      const bytes = readCredit(frame.payload) ?? 0;
      credits.push(bytes);
      served.windowBytes += bytes;
      served.wake?.();
    } else {
      served.left.abort();
      served.wake?.();
      open.delete(frame.stream);
    }
  }

  socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) => {
    if (typeof data !== 'string') return receive(data);
    if (data === 'pong') return void (pongs += 1);
    const frame = JSON.parse(data) as LinkToNode;
    said.push(frame);
    if (frame.type === 'challenge') {
      const answer = hello(frame);
      if (answer !== null) say(answer);
    }
    if (frame.type === 'welcome') welcome.resolve(frame);
    if (frame.type === 'request') begin(frame);
  });
  const over = (code: number, reason: string) => {
    for (const served of open.values()) {
      served.left.abort();
      served.wake?.();
    }
    welcome.reject(new Error(`closed ${code}: ${reason}`));
    closed.resolve({ code, reason });
  };
  socket.addEventListener('close', ({ code, reason }) => over(code, reason));
  socket.addEventListener('error', () => over(1006, 'not opened'));
  return {
    welcome: welcome.promise,
    closed: closed.promise,
    said,
    credits,
    pongs: () => pongs,
    extensions: () => socket.extensions ?? '',
    say,
    send: (message) => void send(message),
    close: () => socket.close(),
  };
}

/** Builds the honest hello of a node. */
export function helloOf({ node, privateKey }: NodeIdentity, load: NodeLoad | null = null) {
  return ({ nonce, router }: { nonce: string; router: string }): object => ({
    type: 'hello',
    protocol: LINK_PROTOCOL,
    node,
    signature: sign(null, Buffer.from(linkStatement({ router, node, nonce })), privateKey).toString('base64'),
    description: DESCRIPTION,
    load,
  });
}

function answerOk(request: NodeRequest): void {
  request.head();
  void request.data('ok');
  request.end();
}

/** Serves as an engine at `base` answers (`base` stands for `/v1`), re-chunked by `cut`. A client that leaves hangs up on the engine. */
export function engineAt(
  base: string,
  cut: (bytes: Uint8Array) => Iterable<Uint8Array> = (bytes) => [bytes],
): (request: NodeRequest) => Promise<void> {
  return async (request) => {
    try {
      const { method, path, headers, left } = request;
      const body = method === 'POST' ? { body: await request.body } : {};
      const response = await fetch(base + path.replace(/^\/v1/, ''), { method, headers, signal: left, ...body });
      request.head(response.status, Object.fromEntries(response.headers));
      for await (const chunk of response.body ?? []) for (const piece of cut(chunk)) await request.data(piece);
      request.end();
    } catch {
      request.reset();
    }
  };
}
