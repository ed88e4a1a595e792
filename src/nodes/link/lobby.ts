/** Connections that have been challenged and have not said hello: few, and not for long. */
import { HELLO_TIMEOUT_MS, LINK_CLOSE } from '#schema/node-link';
import { attachmentOf, closeSocket, type Challenged } from './attachment.ts';

/** The oldest makes room for a newer one. */
const WAITING_MAX = 8;

interface Waiting {
  socket: WebSocket;
  state: Challenged;
}

export class Lobby {
  readonly #sockets: () => readonly WebSocket[];

  /** `sockets` lists every socket of the object, hibernated or not. */
  constructor(sockets: () => readonly WebSocket[]) {
    this.#sockets = sockets;
  }

  get isEmpty(): boolean {
    return this.#waiting().length === 0;
  }

  /** Lets the oldest go, so that one more may wait. */
  makeRoom(): void {
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
    const waiting = this.#sockets().flatMap((socket) => {
      const state = attachmentOf(socket);
      return state.phase === 'challenged' ? [{ socket, state }] : [];
    });
    return waiting.toSorted((one, other) => one.state.atMs - other.state.atMs);
  }
}
