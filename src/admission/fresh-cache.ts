/** Values that another party owns and this isolate may use for a while. Knows nothing of keys or policies. */
import { within } from '#schema/within';

/** Keeps work alive after the response, as the Workers runtime offers it. */
export type WaitUntil = (work: Promise<unknown>) => void;

interface FreshCacheSettings<Value> {
  /** Null when there is no such value; rejects when it cannot be known now. */
  load(key: string): Promise<Value | null>;
  now(): number;
  /** How long a value is used; half way through it is loaded again in the background. */
  lifetimeMs: number;
  /** How long the absence of a value is believed. */
  absenceMs: number;
  /** How long a value is used at most while loading fails. */
  staleMs: number;
  /** How long one load may take. */
  timeoutMs: number;
  /** Values kept, and as many absences. Oldest loads leave first. */
  capacity: number;
}

interface Entry<Value> {
  value: Value | null;
  loadedAtMs: number;
}

interface Load<Value> {
  work: Promise<Entry<Value>>;
  startedAtMs: number;
}

export interface FreshCache<Value> {
  /** Answers at once from a fresh entry; otherwise loads, and rejects with the load's failure when nothing usable is left. */
  get(key: string, waitUntil: WaitUntil): Value | null | Promise<Value | null>;
  /** Drops what is known of a key, loads under way included: the next `get` asks its owner. */
  forget(key: string): void;
  /** Drops the known values that pass a test, and loads under way. */
  forgetWhere(test: (value: Value) => boolean): void;
  /** Drops everything, what is known to be absent included. */
  forgetAll(): void;
}

/** Creates a bounded cache that reloads ahead of expiry, so that a key in use never waits for its owner. */
export function createFreshCache<Value>(settings: FreshCacheSettings<Value>): FreshCache<Value> {
  const { now, lifetimeMs, absenceMs, staleMs, timeoutMs, capacity } = settings;
  // Apart, so that a flood of unknown keys cannot push out the known ones.
  const present = new Map<string, Entry<Value>>();
  const absent = new Map<string, Entry<Value>>();
  const loads = new Map<string, Load<Value>>();
  let failedAtMs = -Infinity;
  let forgotten = 0;

  function keep(key: string, entry: Entry<Value>): void {
    const [home, other] = entry.value === null ? [absent, present] : [present, absent];
    other.delete(key);
    home.delete(key);
    home.set(key, entry);
    if (home.size > capacity) home.delete(home.keys().next().value as string);
  }

  async function load(key: string): Promise<Entry<Value>> {
    const forgottenBefore = forgotten;
    try {
      const entry = { value: await within(settings.load(key), timeoutMs), loadedAtMs: now() };
      // What was read before somebody changed it must not come back.
      if (forgotten === forgottenBefore) keep(key, entry);
      return entry;
    } catch (failure) {
      failedAtMs = now();
      throw failure;
    }
  }

  function startLoad(key: string, waitUntil: WaitUntil): Promise<Entry<Value>> {
    const running = loads.get(key);
    // A load whose request was torn down never ends; a later request must not wait for it.
    if (running && now() - running.startedAtMs < timeoutMs) return within(running.work, timeoutMs);
    const started: Load<Value> = { work: load(key), startedAtMs: now() };
    loads.set(key, started);
    const cleanUp = () => {
      if (loads.get(key) === started) loads.delete(key);
    };
    waitUntil(started.work.then(cleanUp, cleanUp));
    return started.work;
  }

  async function reload(key: string, known: Entry<Value> | undefined, waitUntil: WaitUntil): Promise<Value | null> {
    const usable = known && now() - known.loadedAtMs < staleMs ? known : undefined;
    // One slow failure must not slow down every request behind it.
    if (usable && now() - failedAtMs < timeoutMs) return usable.value;
    try {
      return (await startLoad(key, waitUntil)).value;
    } catch (failure) {
      if (usable) return usable.value;
      throw failure;
    }
  }

  return {
    get(key, waitUntil) {
      const known = present.get(key) ?? absent.get(key);
      if (!known) return reload(key, undefined, waitUntil);
      const ageMs = now() - known.loadedAtMs;
      if (known.value === null) return ageMs < absenceMs ? null : reload(key, undefined, waitUntil);
      if (ageMs >= lifetimeMs || ageMs < 0) return reload(key, known, waitUntil);
      if (ageMs >= lifetimeMs / 2 && now() - failedAtMs >= timeoutMs) startLoad(key, waitUntil).catch(() => undefined);
      return known.value;
    },
    forget(key) {
      forgotten++;
      present.delete(key);
      absent.delete(key);
      loads.delete(key);
    },
    forgetWhere(test) {
      forgotten++;
      loads.clear();
      for (const [key, { value }] of present) if (value !== null && test(value)) present.delete(key);
    },
    forgetAll() {
      forgotten++;
      for (const known of [present, absent, loads]) known.clear();
    },
  };
}
