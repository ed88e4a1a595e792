/**
 * The Durable Object in which the outbound link of one node ends, deployed as NodeLink. Requests for the node come in by `fetch` and go over the link.
 * Sockets hibernate: an idle node keeps nothing in memory, and whatever wakes the object finds its link again.
 */
import { DurableObject } from 'cloudflare:workers';
import type { NodeDescription } from '#schema/node';
import { HELLO_TIMEOUT_MS, LINK_CLOSE, PING, PONG, SILENCE_LIMIT_MS } from '#schema/node-link';
import { LOAD_REGISTRY, type NodeLoadReport } from '#schema/node-load-report';
import type { SaidChat } from '#schema/said-chat';
import { RUNTIME_TIMERS } from '#schema/timers';
import type { ProbePorts } from '../probe/target.ts';
import { attachmentOf, closeSocket, type Linked } from './attachment.ts';
import { forward } from './forward.ts';
import { createLinkEvents, type LinkEvents } from './link-events.ts';
import { statusOf, type LinkStatus } from './link-status.ts';
import { findNode } from './link-store.ts';
import { LinkedNode, type Described } from './linked-node.ts';
import { LOAD_HEADER, loadHeader } from './load-header.ts';
import { createLoadReporter, type LoadReporter } from './load-reporter.ts';
import { Lobby, type Proven } from './lobby.ts';
import { createNewestOnly } from './newest-only.ts';
import { refuse } from './refusals.ts';

/** How often a link is listened to while requests are under way, and while none are. */
const WATCH_INTERVAL_MS = 5_000;
const IDLE_WATCH_INTERVAL_MS = 60_000;

/** What a node says of itself is acted on this often at most: each time costs probes, and the catalogue a version. */
const DESCRIBED_INTERVAL_MS = 5_000;

const DESCRIPTION_KEY = 'description';
const ENDPOINTS_KEY = 'endpoints';
/** Id of the node while its link stands, so that a link that went down with its object is missed. */
const LINKED_KEY = 'linked';

/** The board that passes reports of load on. */
interface LoadBoard extends Rpc.DurableObjectBranded {
  reportLoad(report: NodeLoadReport): Promise<void>;
}

/** The bindings that a link's object needs. */
export interface LinkObjectEnv {
  DB: D1Database;
  HEALTH_BOARD: DurableObjectNamespace<LoadBoard>;
}

interface Told extends Pick<Described, 'description' | 'trouble'> {
  nodeId: string;
}

/** One node's end of the wire. The object's name is the node's id. */
export abstract class LinkObject extends DurableObject<LinkObjectEnv> {
  readonly #lobby: Lobby;
  readonly #events: LinkEvents;
  readonly #reporter: LoadReporter;
  readonly #described: (told: Told) => Promise<void>;
  #linked: LinkedNode | null = null;
  #isWatched = false;

  constructor(state: DurableObjectState, env: LinkObjectEnv) {
    super(state, env);
    this.#lobby = new Lobby({
      db: env.DB,
      nodeId: state.id.name ?? '',
      now: () => this.now(),
      sockets: () => state.getWebSockets(),
      keep: (socket) => state.acceptWebSocket(socket),
    });
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#reporter = createLoadReporter({
      now: () => this.now(),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      endpoints: async () => (await state.storage.get<NodeLoadReport['endpoints']>(ENDPOINTS_KEY)) ?? [],
      send: (report) => env.HEALTH_BOARD.getByName(LOAD_REGISTRY).reportLoad(report),
    });
    this.#events = createLinkEvents({
      db: env.DB,
      now: () => this.now(),
      random: Math.random,
      timers: RUNTIME_TIMERS,
      fetch: (input: RequestInfo | URL, init?: RequestInit) => this.#forward(new Request(input, init)),
      say: (...words) => this.say(...words),
      tell: (told) => this.#linked?.say({ type: 'state', ...told }),
      log: (event) => this.log(event),
    });
    this.#described = createNewestOnly<Told>({
      work: (told) => this.#events.onDescribed(told.nodeId, told),
      now: () => this.now(),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      intervalMs: DESCRIBED_INTERVAL_MS,
    });
    this.#linked = this.#wake();
  }

  /** Puts a probe's request into words. */
  protected abstract say(...words: Parameters<ProbePorts['say']>): SaidChat;

  /** Reads the clock; tests move it. */
  protected now(): number {
    return Date.now();
  }

  /** Writes one structured line. */
  protected log(event: Record<string, unknown>): void {
    console.log(JSON.stringify(event));
  }

  /** Opens the link for an upgrade request; every other request goes to the node. */
  override async fetch(request: Request): Promise<Response> {
    return request.headers.get('upgrade')?.toLowerCase() === 'websocket' ? this.#accept(request) : this.#forward(request);
  }

  /** Tells how the link stands. */
  async status(): Promise<LinkStatus> {
    const description = (await this.ctx.storage.get<NodeDescription>(DESCRIPTION_KEY)) ?? null;
    return statusOf(this.#alive(), description, this.now());
  }

  /** Lets the node finish what is under way and gives it nothing new, or takes that back. Without a link, what D1 says counts for the next. */
  async drain(on: boolean): Promise<void> {
    this.#linked?.drain(on);
  }

  /** Closes the link of a node that does not belong here any more. */
  async leave(reason: string): Promise<void> {
    this.#drop(LINK_CLOSE.gone, reason);
    this.#lobby.clear(LINK_CLOSE.gone, reason);
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /** Closes every connection that was opened with another key than the node's present one: it must prove itself again. */
  async forgetKey(): Promise<void> {
    this.#drop(LINK_CLOSE.refused, 'the node has another key now');
    this.#lobby.clear(LINK_CLOSE.refused, 'the node has another key now');
  }

  /** Takes over what the node has just told the register: which endpoints stand on it, and what it says of itself. */
  async renew(description: NodeDescription): Promise<void> {
    const linked = this.#linked;
    if (linked === null) return;
    const known = await findNode(this.env.DB, linked.nodeId);
    if (known === null || known === 'unreadable') return;
    await this.ctx.storage.put(ENDPOINTS_KEY, known.endpoints);
    this.ctx.waitUntil(this.#tookNote(linked.nodeId, { description, trouble: linked.trouble }));
  }

  /** Tells the node how one of its endpoints stands. */
  async tell(told: { endpoint: string; state: string; reason: string | null }): Promise<void> {
    this.#linked?.say({ type: 'state', ...told });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (this.#linked?.socket === socket) return this.#linked.receive(message);
    const proven = await this.#lobby.hear(socket, message);
    if (proven !== null) this.#welcome(proven);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    if (this.#linked?.socket === socket) this.#lost(this.#linked);
    // 1005 and 1006 stand for closings without a code, and may not be sent.
    closeSocket(socket, code === 1005 || code === 1006 ? 1000 : code, reason);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket, 1000, '');
  }

  /** Closes connections that never said hello and links that have fallen silent, and notices those that fell with the object. */
  override async alarm(): Promise<void> {
    this.#lobby.sweep(this.now());
    const linkedBefore = await this.ctx.storage.get<string>(LINKED_KEY);
    if (this.#alive() === null && linkedBefore !== undefined) await this.#noteLost(linkedBefore);
    if (this.#linked !== null || !this.#lobby.isEmpty) await this.#planAlarm(IDLE_WATCH_INTERVAL_MS);
  }

  async #accept(request: Request): Promise<Response> {
    const response = await this.#lobby.enter(request);
    if (response.status === 101) await this.#planAlarm(HELLO_TIMEOUT_MS + 1_000);
    return response;
  }

  #welcome({ socket, source, hello, node: { drained, endpoints } }: Proven): void {
    const { node: nodeId, description, load, trouble = null } = hello;
    const replaced = this.#linked;
    this.#linked = null;
    replaced?.close(LINK_CLOSE.replaced, 'another process has joined as this node');

    const nowMs = this.now();
    const told = load === null ? null : { load, atMs: nowMs };
    const state: Linked = {
      phase: 'linked',
      nodeId,
      source,
      linkedAtMs: nowMs,
      streamsFrom: 1,
      drainedByRouter: drained,
      drainedByNode: false,
      trouble,
      told,
    };
    socket.serializeAttachment(state);
    this.#linked = this.#link(socket, state);
    this.#linked.say({ type: 'welcome', node: nodeId, drained, endpoints: endpoints.map(({ endpointId }) => endpointId) });
    const kept = this.ctx.storage.put({ [DESCRIPTION_KEY]: description, [ENDPOINTS_KEY]: endpoints, [LINKED_KEY]: nodeId });
    this.ctx.waitUntil(kept.then(() => (told === null ? undefined : this.#reporter.report(told))));
    this.ctx.waitUntil(this.#events.onLinked(nodeId, { description, trouble }));
  }

  #link(socket: WebSocket, state: Linked): LinkedNode {
    const node: LinkedNode = new LinkedNode(socket, state, {
      now: () => this.now(),
      onLoad: () => node.told !== null && this.ctx.waitUntil(this.#reporter.report(node.told)),
      onDescribed: (described) => this.ctx.waitUntil(this.#tookNote(node.nodeId, described)),
      onViolation: (reason) => {
        this.log({ event: 'node_link_violation', nodeId: node.nodeId, reason });
        this.#lost(node);
      },
    });
    return node;
  }

  async #tookNote(nodeId: string, { description, trouble }: Pick<Described, 'description' | 'trouble'>): Promise<void> {
    await this.ctx.storage.put(DESCRIPTION_KEY, description);
    await this.#described({ nodeId, description, trouble });
  }

  /** Finds the link that a hibernated object left behind. */
  #wake(): LinkedNode | null {
    for (const socket of this.ctx.getWebSockets()) {
      const state = attachmentOf(socket);
      if (state.phase !== 'linked') continue;
      this.#lobby.prove(state.source);
      return this.#link(socket, state);
    }
    return null;
  }

  async #forward(request: Request): Promise<Response> {
    const linked = this.#alive();
    if (linked === null) return refuse('node_unlinked');
    if (linked.isDraining) return refuse('node_draining');
    if (linked.trouble !== null) return refuse('node_troubled');
    this.#watch();
    const response = await forward(request, linked.session);
    const load = loadHeader(linked.told, this.now());
    if (load !== null) response.headers.set(LOAD_HEADER, load);
    return response;
  }

  /** Gives the link; one that has been silent for too long is closed first. */
  #alive(): LinkedNode | null {
    const linked = this.#linked;
    if (linked === null) return null;
    const pingedAtMs = this.ctx.getWebSocketAutoResponseTimestamp(linked.socket)?.getTime() ?? 0;
    if (this.now() - Math.max(linked.heardAtMs, pingedAtMs) <= SILENCE_LIMIT_MS) return linked;
    this.#drop(LINK_CLOSE.silent, 'nothing was heard of the node');
    return null;
  }

  /** Listens while requests are under way, so that those on a dead link break. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    setTimeout(() => {
      this.#isWatched = false;
      if ((this.#alive()?.session.streams ?? 0) > 0) this.#watch();
    }, WATCH_INTERVAL_MS);
  }

  #drop(code: number, reason: string): void {
    const linked = this.#linked;
    if (linked === null) return;
    linked.close(code, reason);
    this.#lost(linked);
  }

  /** The link is gone: streams break at once, and the house hears of it. */
  #lost(linked: LinkedNode): void {
    if (this.#linked !== linked) return;
    this.#linked = null;
    linked.session.over();
    this.ctx.waitUntil(this.#noteLost(linked.nodeId));
  }

  async #noteLost(nodeId: string): Promise<void> {
    await this.ctx.storage.delete(LINKED_KEY);
    // It may have come again meanwhile.
    if (this.#linked === null) await Promise.all([this.#reporter.unknown(), this.#events.onUnlinked(nodeId)]);
  }

  async #planAlarm(afterMs: number): Promise<void> {
    const atMs = Date.now() + afterMs;
    const planned = await this.ctx.storage.getAlarm();
    if (planned === null || planned > atMs) await this.ctx.storage.setAlarm(atMs);
  }
}
