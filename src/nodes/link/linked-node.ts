/** A node whose link stands: its session, and what it has said of itself since. */
import type { LinkToNode, NodeToLink } from '#schema/node-link';
import { closeSocket, type Linked } from './attachment.ts';
import type { ToldLoad } from './load-header.ts';
import { LinkSession } from './session.ts';

export interface LinkedNodePorts {
  now(): number;
  /** The node has told its load. */
  onLoad(): void;
  /** The session has closed the link: the node broke the rules. */
  onViolation(reason: string): void;
}

/** One linked socket. What must survive hibernation is written into its attachment whenever it changes. */
export class LinkedNode {
  readonly socket: WebSocket;
  readonly session: LinkSession;
  /** When the last frame came, epoch milliseconds. */
  heardAtMs: number;
  readonly #ports: LinkedNodePorts;
  #state: Linked;

  constructor(socket: WebSocket, state: Linked, ports: LinkedNodePorts) {
    this.socket = socket;
    this.#state = state;
    this.#ports = ports;
    this.heardAtMs = state.linkedAtMs;
    const wire = {
      text: (frame: LinkToNode) => this.say(frame),
      binary: (message: Uint8Array<ArrayBuffer>) => this.#send(message),
      close: (code: number, reason: string) => {
        closeSocket(socket, code, reason);
        ports.onViolation(reason);
      },
    };
    const events = {
      said: (frame: Extract<NodeToLink, { type: 'load' | 'drain' }>) => this.#heard(frame),
      numbered: (streamsFrom: number) => this.#keep({ streamsFrom }),
    };
    this.session = new LinkSession(wire, events, state.streamsFrom);
  }

  get nodeId(): string {
    return this.#state.nodeId;
  }

  get linkedAtMs(): number {
    return this.#state.linkedAtMs;
  }

  get told(): ToldLoad | null {
    return this.#state.told;
  }

  get isDraining(): boolean {
    return this.#state.drainedByRouter || this.#state.drainedByNode;
  }

  /** Takes one message of the node. */
  receive(message: string | ArrayBuffer): void {
    this.heardAtMs = this.#ports.now();
    if (typeof message === 'string') this.session.receiveText(message);
    else this.session.receiveBinary(message);
  }

  /** Asks the node to take nothing new, or takes that back. */
  drain(on: boolean): void {
    this.#keep({ drainedByRouter: on });
    this.say({ type: 'drain', on });
  }

  say(frame: LinkToNode): void {
    this.#send(JSON.stringify(frame));
  }

  /** Breaks every stream and closes the socket. */
  close(code: number, reason: string): void {
    this.session.over();
    closeSocket(this.socket, code, reason);
  }

  #heard(frame: Extract<NodeToLink, { type: 'load' | 'drain' }>): void {
    if (frame.type === 'drain') return this.#keep({ drainedByNode: frame.on });
    this.#keep({ told: { load: frame.load, atMs: this.#ports.now() } });
    this.#ports.onLoad();
  }

  #keep(changed: Partial<Linked>): void {
    this.#state = { ...this.#state, ...changed };
    this.socket.serializeAttachment(this.#state);
  }

  /** A socket that is gone says so by its close event, which ends the streams. */
  #send(message: string | Uint8Array<ArrayBuffer>): void {
    try {
      this.socket.send(message);
    } catch {
      // See above.
    }
  }
}
