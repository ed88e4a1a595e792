/** A node at work: link, engine and load together, until somebody ends it. */
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import type { Declared } from './declared.ts';
import type { AskOptions } from './engines/answers.ts';
import { lookAgain } from './engines/look-again.ts';
import type { KeyPair } from './identity/key-pair.ts';
import { watchEngine } from './link/engine-watch.ts';
import { keepLink } from './link/keep-link.ts';
import { watchLoad } from './link/load-monitor.ts';
import { createLocalEngine } from './link/local-engine.ts';
import { createReading } from './link/read-engine.ts';
import { dial } from './link/socket.ts';
import type { Look } from './look-around.ts';
import type { NodeEvent, NodeStatus } from './node-status.ts';
import { linkAddress, type RouterAddress } from './router-address.ts';
import type { ModelWish } from './served-models.ts';
import { standAnew, type Standing } from './stand-anew.ts';

/** How it ended: `reason` null when it left as asked; `cut` requests that were not finished. */
export interface NodeEnd {
  reason: string | null;
  cut: number;
}

export interface RunOptions {
  router: RouterAddress;
  node: string;
  keys: KeyPair;
  look: Look;
  /** What the operator wants to serve; empty: what there is. */
  wishes: readonly ModelWish[];
  /** What the operator says in place of an engine that does not tell it. */
  declared: Declared;
  engine: AskOptions;
  /** Requests at once; absent: as many as come. */
  maxConcurrency: number | null;
  drainTimeoutMs: number;
  timers?: Timers;
  /** Called when the node serves models that it did not serve before. */
  onServed(look: Look): void;
  on(event: NodeEvent): void;
}

export interface RunningNode {
  status(): NodeStatus;
  /** What it serves now. */
  look(): Look;
  /** Finishes what is under way, takes nothing new, then leaves. */
  drain(): void;
  /** Leaves at once. */
  leave(): void;
  over: Promise<NodeEnd>;
}

const DRAIN_LOOK_MS = 50;

/** Puts a node to work. */
export function runNode(options: RunOptions): RunningNode {
  const { router, node, keys, engine, on } = options;
  const timers = options.timers ?? RUNTIME_TIMERS;
  const done = { served: 0, failed: 0, completionTokens: 0 };
  let standing: Standing = { look: options.look, trouble: null };
  let isDraining = false;
  let cut = 0;
  const adapter = () => standing.look.found.adapter;

  const monitor = watchLoad({
    read: () => createReading(adapter(), engine, declaredPoolOf(standing.look))(),
    ownStreams: () => link.streams,
    maxSequences: sequencesOf(options.look) ?? options.maxConcurrency,
    timers,
    tell(load) {
      link.tellLoad(load);
      on({ type: 'load', load });
    },
    onEngine(there) {
      on({ type: 'engine', there });
      watch.noteThere(there);
    },
  });

  const watch = watchEngine<Look['found']>({
    look: () => lookAgain({ adapter: adapter(), options: engine }),
    onSight: (sight) =>
      stand(
        'found' in sight
          ? standAnew(standing, sight.found, { wishes: options.wishes, declared: options.declared })
          : { ...standing, trouble: sight.trouble },
      ),
    timers,
  });

  function stand(next: Standing): void {
    const before = standing;
    if (next.look === before.look && next.trouble === before.trouble) return;
    standing = next;
    link.tellStanding();
    const { found, served } = next.look;
    on({ type: 'changed', models: served.map(({ model }) => model), version: found.version, trouble: next.trouble });
    const isNew = served.some(({ facts }) => !before.look.served.some((one) => one.facts.upstreamModel === facts.upstreamModel));
    if (isNew) options.onServed(next.look);
  }

  const link = keepLink({
    url: linkAddress(router, node),
    dial,
    timers,
    now: () => performance.now(),
    random: Math.random,
    routerHost: router.host,
    node,
    sign: keys.sign,
    standing: () => ({ description: standing.look.description, trouble: standing.trouble }),
    load: monitor.load,
    askEngine: createLocalEngine({
      ...engine,
      fullStatuses: () => adapter().fullStatuses,
      onTrouble: monitor.lookSoon,
      onMissing: watch.lookSoon,
    }),
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
    look: () => standing.look,
    status: () => ({
      linked: link.isOpen,
      trouble: standing.trouble,
      draining: isDraining,
      load: monitor.load(),
      streams: link.streams,
      ...done,
    }),
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
      watch.stop();
      return { reason, cut };
    }),
  };
}

/** Adds up what the models say that they run at once; null where one does not say. */
function sequencesOf({ served }: Look): number | null {
  const counts = served.map(({ facts }) => facts.capacity.maxSequences);
  return counts.some((count) => count === null) ? null : Math.max(...counts.map(Number));
}

/** Finds the size that the operator has said; null where the engine tells its own. */
function declaredPoolOf({ served }: Look): number | null {
  return served.find(({ facts }) => facts.poolSource === 'declared')?.facts.capacity.poolTokens ?? null;
}
