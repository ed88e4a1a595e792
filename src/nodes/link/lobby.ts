/**
 * Where a node's object meets whoever dials: a connection is counted, challenged, and waits here until its hello shows whether it is the node. Few
 * wait, and not for long.
 */
import { HELLO_TIMEOUT_MS, LINK_CLOSE } from '#schema/node-link';
import { attachmentOf, closeSocket, type Challenged } from './attachment.ts';
import { createConnectLimit, sourceOf } from './connect-limit.ts';
import { challengeFor, refusalOf, type Hello } from './handshake.ts';
import { findNode, type KnownNode } from './link-store.ts';
import { readControl } from './read-words.ts';
import { refuseLink } from './refusals.ts';

/** The oldest makes room for a newer one. */
const WAITING_MAX = 8;

interface Waiting {
  socket: WebSocket;
  state: Challenged;
}

/** A connection that has proven to be the node's. */
export interface Proven {
  socket: WebSocket;
  /** Where it comes from. */
  source: string;
  hello: Hello;
  node: KnownNode;
}

/** What a lobby uses of its object. */
export interface LobbyPorts {
  db: D1Database;
  nodeId: string;
  now(): number;
  /** Lists every socket of the object, hibernated or not. */
  sockets(): readonly WebSocket[];
  /** Keeps a socket through hibernation. */
  keep(socket: WebSocket): void;
}

/** The lobby of one object. */
export class Lobby {
  readonly #ports: LobbyPorts;
  readonly #connects = createConnectLimit();
  /** Sockets whose hello is being checked. */
  readonly #checking = new WeakSet<WebSocket>();

  constructor(ports: LobbyPorts) {
    this.#ports = ports;
  }

  /** Answers who dials: 101 with a challenge on its way, or a refusal. */
  async enter(request: Request): Promise<Response> {
    const { db, nodeId, now, keep } = this.#ports;
    const nowMs = now();
    const source = sourceOf(request.headers.get('cf-connecting-ip') ?? '');
    const refuseForMs = this.#connects.refuseForMs(source, nowMs);
    if (refuseForMs !== null) return refuseLink('too_often', refuseForMs);
    const node = await findNode(db, nodeId);
    if (node === 'unreadable') return refuseLink('unreadable', 2_000);
    if (node === null) return refuseLink('unknown', null);

    this.#makeRoom();
    const { 0: client, 1: server } = new WebSocketPair();
    const { state, frame } = challengeFor(nodeId, { router: new URL(request.url).origin, source, nowMs });
    keep(server);
    server.serializeAttachment(state);
    server.send(JSON.stringify(frame));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Takes the first message of a connection, which must be a signed hello. Null: it was none, or waits for nothing here, and is closed or let be. */
  async hear(socket: WebSocket, message: string | ArrayBuffer): Promise<Proven | null> {
    const state = attachmentOf(socket);
    if (state.phase !== 'challenged') return null;
    const hello = typeof message === 'string' ? readControl(message) : null;
    if (hello?.type !== 'hello' || this.#checking.has(socket)) {
      closeSocket(socket, LINK_CLOSE.violation, 'one hello was expected');
      return null;
    }
    this.#checking.add(socket);
    const node = await findNode(this.#ports.db, state.nodeId);
    if (node === 'unreadable') {
      closeSocket(socket, LINK_CLOSE.tooOften, 'the node cannot be looked up now');
      return null;
    }
    const refusal = node === null ? 'there is no such node' : await refusalOf(hello, state, node, this.#ports.now());
    // It may have been closed while it was checked.
    if (attachmentOf(socket).phase !== 'challenged') return null;
    if (node === null || refusal !== null) {
      closeSocket(socket, LINK_CLOSE.refused, refusal ?? '');
      return null;
    }
    this.prove(state.source);
    return { socket, source: state.source, hello, node };
  }

  /** Notes where the node itself has come from: what others do from elsewhere keeps it out no more. */
  prove(source: string): void {
    this.#connects.prove(source);
  }

  get isEmpty(): boolean {
    return this.#waiting().length === 0;
  }

  /** Lets the oldest go, so that one more may wait. */
  #makeRoom(): void {
    const waiting = this.#waiting();
    for (const { socket } of waiting.slice(0, Math.max(0, waiting.length - WAITING_MAX + 1)))
      closeSocket(socket, LINK_CLOSE.tooOften, 'too many connections at once');
  }

  /** Lets go who has not said hello in time. */
  sweep(nowMs: number): void {
    for (const { socket, state } of this.#waiting()) {
      if (nowMs - state.atMs >= HELLO_TIMEOUT_MS) closeSocket(socket, LINK_CLOSE.refused, 'no hello');
    }
  }

  /** Lets everybody go. */
  clear(code: number, reason: string): void {
    for (const { socket } of this.#waiting()) closeSocket(socket, code, reason);
  }

  #waiting(): Waiting[] {
    const waiting = this.#ports.sockets().flatMap((socket) => {
      const state = attachmentOf(socket);
      return state.phase === 'challenged' ? [{ socket, state }] : [];
    });
    return waiting.toSorted((one, other) => one.state.atMs - other.state.atMs);
  }
}
