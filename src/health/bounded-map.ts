/** A map that forgets what was touched longest ago. */

export interface BoundedMap<Key, Value> {
  /** Reads without counting as a touch. */
  peek(key: Key): Value | undefined;
  /** Reads, or makes the value; either way it becomes the most recent. */
  touch(key: Key, make: () => Value): Value;
  delete(key: Key): void;
  /** Lists the values, the one touched last first. */
  newest(): Value[];
  readonly size: number;
}

/** Creates a map of at most `capacity` entries. */
export function createBoundedMap<Key, Value>(capacity: number): BoundedMap<Key, Value> {
  // A Map iterates in insertion order, so re-inserting on touch keeps the stalest entry first.
  const entries = new Map<Key, Value>();
  return {
    peek: (key) => entries.get(key),
    touch(key, make) {
      const value = entries.get(key) ?? make();
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > capacity) {
        const [stalest] = entries.keys();
        if (stalest !== undefined) entries.delete(stalest);
      }
      return value;
    },
    delete: (key) => void entries.delete(key),
    newest: () => [...entries.values()].reverse(),
    get size() {
      return entries.size;
    },
  };
}
