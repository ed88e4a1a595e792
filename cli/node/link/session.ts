/** One connection to a router, from challenge to close: which frames may come when, and what follows. Knows no WebSocket, no clock and no engine. */
import {
  BINARY,
  CONTROL_CHARS_MAX,
  decodeBinary,
  encodeBinary,
  LINK_BUFFER_BYTES_MAX,
  LINK_CLOSE,
  LINK_PATHS,
  LINK_PROTOCOL,
  linkStatement,
  linkToNode,
  PING,
  PONG,
  readCredit,
  STREAMS_MAX,
  type LinkToNode,
  type NodeToLink,
} from '#schema/node-link';
import type { NodeDescription } from '#schema/node';
import type { NodeLoad } from '#schema/node-service';
import { refuse, type AskEngine, type RefusalCode } from './engine-port.ts';
import { createOutbox } from './outbox.ts';
import { serveStream, type RequestFrame, type ServedStream, type StreamEnd, type StreamWriter } from './served-stream.ts';

/** The connection as a session sees it. Nothing is thrown when it is gone. */
export interface LinkSocket {
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** Resolves once little is waiting to be sent, or the connection is gone: bodies go no faster than the network takes them. */
  room(): Promise<void>;
  close(code: number, reason: string): void;
}

/** What a session tells the command around it. */
export type SessionEvent =
  | { type: 'welcome'; endpoints: readonly string[]; drained: boolean }
  | { type: 'state'; endpoint: string; state: string; reason: string | null }
  /** The operator has asked the router for a drain, or taken it back. */
  | { type: 'drain'; on: boolean }
  | { type: 'began' }
  | { type: 'ended'; end: StreamEnd }
  /** It cannot go on, in words. `final`: coming again would change nothing. */
  | { type: 'broken'; reason: string; final: boolean };

export interface SessionPorts {
  socket: LinkSocket;
  /** Host of the router as this node dialled it, with its port where that is not the scheme's own. */
  routerHost: string;
  node: string;
  /** Signs a text with the node's key; base64. */
  sign(statement: string): string;
  /** What it says of itself now, and why it can serve nothing; null where it can. */
  standing(): { description: NodeDescription; trouble: string | null };
  load(): NodeLoad | null;
  askEngine: AskEngine;
  /** Requests at once; beyond them the node says that it is full. */
  streamsMax: number;
  /** Whether this process takes nothing new. */
  isDraining(): boolean;
  on(event: SessionEvent): void;
}

export interface Session {
  /** Takes a message of the router. */
  receive(message: string | ArrayBuffer | Uint8Array): void;
  /** Notes that the connection is gone: every request under way is let go. */
  lost(): void;
  /** Asks whether the router is still there; its answer is a message like any other. */
  ping(): void;
  tellLoad(load: NodeLoad | null): void;
  tellDrain(on: boolean): void;
  /** Says anew what stands behind the node; a router that does not hear of changes reads it in the next hello. */
  tellStanding(): void;
  /** Sends what is left to say and closes the connection. */
  leave(code: number, reason: string): void;
  /** Whether the router has taken the node in. */
  readonly isOpen: boolean;
  /** Requests under way. */
  readonly streams: number;
}

const UTF8 = new TextEncoder();
const GET_PATHS: ReadonlySet<string> = new Set(['/v1/models', '/health', '/metrics']);

/** Opens a session on a connection that has just been made. */
export function createSession(ports: SessionPorts): Session {
  const { socket, on } = ports;
  const streams = new Map<number, ServedStream>();
  let phase: 'greeting' | 'signed' | 'open' | 'over' = 'greeting';
  let lastStream = 0;
  /** Whether the router takes what else there is to say of the node. */
  let hearsChanges = false;
  let takesBundles = false;
  /** The operator's wish, told by the router. */
  let isDrained = false;

  const send = (message: Uint8Array<ArrayBuffer>): void => void (phase === 'open' && socket.send(message));
  const outbox = createOutbox(send);
  const write: StreamWriter = {
    head(stream, head) {
      if (takesBundles) outbox.put(encodeBinary(BINARY.head, stream, UTF8.encode(JSON.stringify(head))));
      else control({ type: 'head', stream, ...head });
    },
    binary: (message) => (takesBundles ? outbox.put(message) : send(message)),
    room: () => socket.room(),
  };

  function control(frame: NodeToLink): void {
    if (phase !== 'over') socket.send(JSON.stringify(frame));
  }

  function finish(): void {
    phase = 'over';
    for (const stream of streams.values()) stream.abort();
  }

  function end(code: number, reason: string, final: boolean): void {
    if (phase === 'over') return;
    finish();
    socket.close(code, reason);
    on({ type: 'broken', reason, final });
  }

  /** Request bodies that wait for the engine, all together. */
  function unreadBytes(): number {
    let bytes = 0;
    for (const stream of streams.values()) bytes += stream.unreadBytes;
    return bytes;
  }

  const violate = (what: string): void => end(LINK_CLOSE.violation, `the router sent ${what}`, false);

  function greet({ protocol, nonce, router, ...more }: Extract<LinkToNode, { type: 'challenge' }>): void {
    if (protocol !== LINK_PROTOCOL) {
      const [age, whom] = protocol > LINK_PROTOCOL ? ['newer', 'this command'] : ['older', 'the router'];
      end(LINK_CLOSE.refused, `the router speaks an ${age} protocol (${protocol}, here ${LINK_PROTOCOL}): update ${whom}`, true);
    } else if (URL.parse(router)?.host !== ports.routerHost) {
      // Signed for another router, the answer to this challenge could be passed on to it.
      end(LINK_CLOSE.refused, `the router calls itself ${router}, but was dialled as ${ports.routerHost}: dial it by its own name`, true);
    } else {
      phase = 'signed';
      hearsChanges = more.hearsChanges === true;
      takesBundles = more.takesBundles === true;
      const { node } = ports;
      const { description, trouble } = ports.standing();
      const signature = ports.sign(linkStatement({ router, node, nonce }));
      control({
        type: 'hello',
        protocol: LINK_PROTOCOL,
        node,
        signature,
        description,
        load: ports.load(),
        ...(hearsChanges && { trouble }),
      });
    }
  }

  function begin(frame: RequestFrame): void {
    if (frame.stream <= lastStream) return violate('a second request with one number');
    lastStream = frame.stream;
    // Those that are refused stay until the router has read why.
    if (streams.size >= 2 * STREAMS_MAX) return violate('more requests than a node may have');
    const refusal = refusalOf(frame);
    const askEngine: AskEngine = refusal === null ? ports.askEngine : async () => refuse(refusal);
    const stream = serveStream(frame, askEngine, write);
    streams.set(frame.stream, stream);
    if (refusal === null) on({ type: 'began' });
    void stream.over.then((over) => {
      streams.delete(frame.stream);
      if (refusal === null) on({ type: 'ended', end: over });
    });
  }

  function refusalOf({ path, method, body, bodyBytes = 0 }: RequestFrame): RefusalCode | null {
    if (!(LINK_PATHS as readonly string[]).includes(path) || (method === 'GET') !== GET_PATHS.has(path)) return 'path_not_served';
    if (method === 'GET' && (body !== undefined || bodyBytes > 0)) return 'path_not_served';
    // Probes look at a draining or full node too.
    if (method === 'GET') return streams.size >= STREAMS_MAX ? 'node_full' : null;
    if (isDrained || ports.isDraining()) return 'node_draining';
    return streams.size >= Math.min(ports.streamsMax, STREAMS_MAX) ? 'node_full' : null;
  }

  function receiveControl(text: string): void {
    const frame = readFrame(text);
    if (frame === null) return violate('a frame that cannot be read');
    if (frame.type === 'challenge') return phase === 'greeting' ? greet(frame) : violate('a second challenge');
    if (frame.type === 'welcome') {
      if (phase !== 'signed') return violate('a welcome out of turn');
      phase = 'open';
      isDrained = frame.drained;
      return on({ type: 'welcome', endpoints: frame.endpoints, drained: frame.drained });
    }
    if (phase !== 'open') return violate(`${frame.type} before the welcome`);
    if (frame.type === 'request') return begin(frame);
    if (frame.type === 'drain') isDrained = frame.on;
    on(frame);
  }

  function receiveBinary(bytes: ArrayBuffer | Uint8Array): void {
    const message = decodeBinary(bytes);
    if (message === null || phase !== 'open') return violate('a binary frame that cannot be read');
    const { kind, payload } = message;
    if (message.stream > lastStream || message.stream === 0) return violate('a body for a request that was never made');
    const stream = streams.get(message.stream);
    // What was on its way when the request ended is nobody's fault.
    if (stream === undefined) return;
    if (kind === BINARY.data && !stream.data(payload)) return violate('more of a body than it may');
    if (kind === BINARY.data && unreadBytes() > LINK_BUFFER_BYTES_MAX) return violate('more than a link may hold');
    if (kind === BINARY.end && !stream.end()) return violate('less of a body than announced');
    if (kind === BINARY.credit && !stream.credit(readCredit(payload) ?? Infinity)) return violate('credit for what it was not sent');
    if (kind === BINARY.reset) stream.abort();
    if (!KINDS.has(kind)) return violate('a binary frame of no known kind');
  }

  return {
    receive(message) {
      if (phase === 'over' || message === PONG) return;
      if (typeof message === 'string') receiveControl(message);
      else receiveBinary(message);
    },
    lost: finish,
    ping: () => void (phase !== 'over' && socket.send(PING)),
    tellLoad: (load) => void (phase === 'open' && control({ type: 'load', load })),
    tellStanding: () => void (phase === 'open' && hearsChanges && control({ type: 'describe', ...ports.standing() })),
    leave(code, reason) {
      outbox.flush();
      finish();
      socket.close(code, reason);
    },
    tellDrain: (isOn) => void (phase === 'open' && control({ type: 'drain', on: isOn })),
    get isOpen() {
      return phase === 'open';
    },
    get streams() {
      return streams.size;
    },
  };
}

/** What a router says; heads and bundles are a node’s. */
const KINDS: ReadonlySet<number> = new Set([BINARY.data, BINARY.end, BINARY.credit, BINARY.reset]);

/** Reads a control frame; null for one that is none. */
function readFrame(text: string): LinkToNode | null {
  if (text.length > CONTROL_CHARS_MAX) return null;
  try {
    return linkToNode.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
