/** A node whose link stands: its session, and what it has said of itself since. */
import type { LinkToNode, NodeToLink } from '#schema/node-link';
import { closeSocket, type Linked } from './attachment.ts';
import type { ToldLoad } from './load-header.ts';
import { LinkSession } from './session.ts';
import { createWordLimit, type WordLimit } from './word-limit.ts';

export type Described = Extract<NodeToLink, { type: 'describe' }>;
type Said = Extract<NodeToLink, { type: 'load' | 'drain' | 'describe' }>;

export interface LinkedNodePorts {
  now(): number;
  /** The node has told its load. */
  onLoad(): void;
  /** The node serves something else now, or cannot serve, or can again. */
  onDescribed(told: Described): void;
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
  readonly #words: WordLimit;
  #state: Linked;

  constructor(socket: WebSocket, state: Linked, ports: LinkedNodePorts) {
    this.socket = socket;
    this.#state = state;
    this.#ports = ports;
    this.heardAtMs = state.linkedAtMs;
    this.#words = createWordLimit(ports.now());
    const wire = {
      text: (frame: LinkToNode) => this.say(frame),
      binary: (message: Uint8Array<ArrayBuffer>) => this.#send(message),
      close: (code: number, reason: string) => {
        closeSocket(socket, code, reason);
        ports.onViolation(reason);
      },
    };
    const events = {
      said: (frame: Said) => this.#heard(frame),
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

  /** Why it can serve nothing now, in its own words; null where it can. */
  get trouble(): string | null {
    return this.#state.trouble;
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

  /** Each word is written down, passed on and paid for, so that nobody may say one after the other. */
  #heard(frame: Said): void {
    if (!this.#words.take(this.#ports.now())) return this.session.violated('more words about itself than a node has');
    if (frame.type === 'drain') return this.#keep({ drainedByNode: frame.on });
    if (frame.type === 'describe') {
      this.#keep({ trouble: frame.trouble });
      return this.#ports.onDescribed(frame);
    }
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
