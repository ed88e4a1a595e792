/** A node at work: link, engine and load together, until somebody ends it. */
import type { NodeDescription, NodeLoad } from '#schema/node';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import type { AskOptions } from './engines/answers.ts';
import type { EngineAdapter } from './engines/engine.ts';
import type { KeyPair } from './identity/key-pair.ts';
import { keepLink, type LinkEvent } from './link/keep-link.ts';
import { watchLoad } from './link/load-monitor.ts';
import { createLocalEngine } from './link/local-engine.ts';
import { createReading } from './link/read-engine.ts';
import { dial } from './link/socket.ts';
import { linkAddress, type RouterAddress } from './router-address.ts';

/** What a node has done since it began, and how it stands. */
export interface NodeStatus {
  linked: boolean;
  /** Null while the engine is gone. */
  load: NodeLoad | null;
  /** Requests under way through this node. */
  streams: number;
  served: number;
  failed: number;
  completionTokens: number;
}

export type NodeEvent =
  | Exclude<LinkEvent, { type: 'began' | 'ended' | 'broken' }>
  | { type: 'engine'; there: boolean }
  | { type: 'load'; load: NodeLoad | null }
  | { type: 'draining'; streams: number };

/** How it ended: `reason` null when it left as asked; `cut` requests that were not finished. */
export interface NodeEnd {
  reason: string | null;
  cut: number;
}

export interface RunOptions {
  router: RouterAddress;
  node: string;
  keys: KeyPair;
  description: NodeDescription;
  engine: AskOptions;
  adapter: EngineAdapter;
  /** Requests at once; absent: as many as come. */
  maxConcurrency: number | null;
  drainTimeoutMs: number;
  timers?: Timers;
  on(event: NodeEvent): void;
}

export interface RunningNode {
  status(): NodeStatus;
  /** Finishes what is under way, takes nothing new, then leaves. */
  drain(): void;
  /** Leaves at once. */
  leave(): void;
  over: Promise<NodeEnd>;
}

const DRAIN_LOOK_MS = 50;

/** Puts a node to work. */
export function runNode(options: RunOptions): RunningNode {
  const { router, node, keys, description, adapter, on } = options;
  const timers = options.timers ?? RUNTIME_TIMERS;
  const done = { served: 0, failed: 0, completionTokens: 0 };
  let isDraining = false;
  let cut = 0;

  const monitor = watchLoad({
    read: createReading(adapter, options.engine),
    ownStreams: () => link.streams,
    maxSequences: sequencesOf(description) ?? options.maxConcurrency,
    timers,
    tell(load) {
      link.tellLoad(load);
      on({ type: 'load', load });
    },
    onEngine: (there) => on({ type: 'engine', there }),
  });

  const link = keepLink({
    url: linkAddress(router, node),
    dial,
    timers,
    now: () => performance.now(),
    random: Math.random,
    routerHost: router.host,
    node,
    sign: keys.sign,
    description,
    load: monitor.load,
    askEngine: createLocalEngine({ ...options.engine, fullStatuses: adapter.fullStatuses, onTrouble: monitor.lookSoon }),
    streamsMax: options.maxConcurrency ?? Infinity,
    isDraining: () => isDraining,
    on(event) {
      if (event.type === 'began' || event.type === 'ended') monitor.changed();
      if (event.type === 'ended') count(event.end);
      if (event.type === 'welcome') {
        if (isDraining) link.tellDrain(true);
        monitor.tellAgain();
      }
      if (event.type !== 'began' && event.type !== 'ended' && event.type !== 'broken') on(event);
    },
  });

  function count({ status, completionTokens }: { status: number | null; completionTokens: number }): void {
    done.completionTokens += completionTokens;
    if (status !== null && status < 400) done.served++;
    else done.failed++;
  }

  function leave(): void {
    cut = link.streams;
    link.leave();
  }

  return {
    status: () => ({ linked: link.isOpen, load: monitor.load(), streams: link.streams, ...done }),
    drain() {
      if (isDraining) return;
      isDraining = true;
      link.tellDrain(true);
      on({ type: 'draining', streams: link.streams });
      const giveUpAtMs = performance.now() + options.drainTimeoutMs;
      const look = (): void => {
        if (link.streams === 0 || performance.now() >= giveUpAtMs) leave();
        else timers.set(look, DRAIN_LOOK_MS);
      };
      look();
    },
    leave,
    over: link.over.then((reason) => {
      monitor.stop();
      return { reason, cut };
    }),
  };
}

/** Adds up what the models say that they run at once; null where one does not say. */
function sequencesOf({ models }: NodeDescription): number | null {
  const counts = models.map(({ capacity }) => capacity.maxSequences);
  return counts.some((count) => count === null) ? null : Math.max(...counts.map(Number));
}
