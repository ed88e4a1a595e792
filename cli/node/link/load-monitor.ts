/** Watches how loaded the engine is, and tells it when that changes. */
import { LOAD_INTERVAL_MS } from '#schema/node-link';
import type { NodeLoad } from '#schema/node-service';
import type { Timers } from '#schema/timers';
import type { EngineLoad } from '../engines/engine.ts';

/** What the engine says: its load, or null where it has none to tell; `gone` where nothing answers, `busy` where only the answer is late. */
export type EngineReading = { load: EngineLoad | null } | 'gone' | 'busy';

export interface LoadMonitorPorts {
  read(): Promise<EngineReading>;
  /** Requests of this node that are under way. */
  ownStreams(): number;
  /** Sequences that the engine runs at once; null where unknown. */
  maxSequences: number | null;
  timers: Timers;
  tell(load: NodeLoad | null): void;
  onEngine(isThere: boolean): void;
}

export interface LoadMonitor {
  /** The newest load; null while the engine is gone. */
  load(): NodeLoad | null;
  /** Looks now, or as soon as the last look is over and a moment has passed. */
  lookSoon(): void;
  /** Notes that a request has begun or ended. */
  changed(): void;
  /** Tells the load to a router that has just let the node in. */
  tellAgain(): void;
  stop(): void;
}

/** Between two looks that changes ask for. */
const SOON_MS = 500;
/** While the engine is gone it is looked for this often. */
const GONE_INTERVAL_MS = 1_000;
/** A change is big from here on: of requests, as a share of what was running. */
const BIG_CHANGE = 0.25;
const BIG_CHANGE_REQUESTS_MIN = 2;
const KV_CHANGE = 0.1;

/** Starts to watch. */
export function watchLoad(ports: LoadMonitorPorts): LoadMonitor {
  const { timers } = ports;
  // Nothing was sent here yet.
  let load: NodeLoad | null = { running: 0, waiting: 0, kvUsage: null };
  let told: NodeLoad | null | undefined;
  let isThere = true;
  let timer: unknown;
  let dueSoon = false;
  let isLooking = false;
  let isStopped = false;

  function ownLoad(): NodeLoad {
    const streams = ports.ownStreams();
    const running = Math.min(streams, ports.maxSequences ?? Infinity);
    return { running, waiting: streams - running, kvUsage: null };
  }

  async function look(): Promise<void> {
    if (isLooking || isStopped) return;
    isLooking = true;
    dueSoon = false;
    timers.clear(timer);
    const reading = await ports.read();
    isLooking = false;
    if (isStopped) return;
    const wasThere = isThere;
    isThere = reading !== 'gone';
    if (reading === 'gone') load = null;
    // An engine in the middle of a long prefill answers late: what it said last and what we count is the best there is.
    else if (reading === 'busy' || reading.load === null) load = atLeastOwn(reading === 'busy' ? load : null);
    // Of an engine that does not count who waits, we know at least who of ours does.
    else load = { ...reading.load, waiting: reading.load.waiting ?? ownLoad().waiting };
    if (wasThere !== isThere) ports.onEngine(isThere);
    tellIfNews(true);
    timer = timers.set(() => void look(), isThere ? LOAD_INTERVAL_MS : GONE_INTERVAL_MS);
  }

  function atLeastOwn(known: NodeLoad | null): NodeLoad {
    const own = ownLoad();
    return known === null
      ? own
      : { ...known, running: Math.max(known.running, own.running), waiting: Math.max(known.waiting, own.waiting) };
  }

  /** An idle node says so once; then it is silent, so that the router's side can sleep. */
  function tellIfNews(isDue: boolean): void {
    const isBusy = load !== null && load.running + load.waiting > 0;
    if (told !== undefined && !isBigChange(told, load) && !(isDue && isBusy) && !(isDue && !isSame(told, load))) return;
    told = load;
    ports.tell(load);
  }

  function lookSoon(): void {
    if (dueSoon || isLooking || isStopped) return;
    dueSoon = true;
    timers.clear(timer);
    timer = timers.set(() => void look(), SOON_MS);
  }

  timer = timers.set(() => void look(), 0);
  return {
    load: () => load,
    lookSoon,
    changed() {
      const counted = ownLoad();
      // What we count ourselves needs no question to the engine.
      if (load !== null && isBigChange(load, { ...counted, kvUsage: load.kvUsage })) lookSoon();
    },
    tellAgain() {
      told = undefined;
      tellIfNews(false);
    },
    stop() {
      isStopped = true;
      timers.clear(timer);
    },
  };
}

function isSame(left: NodeLoad | null, right: NodeLoad | null): boolean {
  if (left === null || right === null) return left === right;
  return left.running === right.running && left.waiting === right.waiting && left.kvUsage === right.kvUsage;
}

/** Whether a router should know before the next report is due. */
function isBigChange(before: NodeLoad | null, after: NodeLoad | null): boolean {
  if (before === null || after === null) return before !== after;
  const far = Math.max(BIG_CHANGE_REQUESTS_MIN, BIG_CHANGE * before.running);
  return (
    Math.abs(after.running - before.running) >= far ||
    after.waiting > 0 !== before.waiting > 0 ||
    Math.abs((after.kvUsage ?? 0) - (before.kvUsage ?? 0)) >= KV_CHANGE
  );
}
