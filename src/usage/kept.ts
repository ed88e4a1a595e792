/** Answers that may be a little old. */

export interface Kept<Value> {
  /** Answers with what was read lately, else reads; a failed read is not kept. */
  get(name: string, read: () => Promise<Value>): Promise<Value>;
  /** Forgets every answer. */
  clear(): void;
}

/** Creates a bounded memory; the oldest answers leave first. */
export function createKept<Value>({ now, keptMs, capacity }: { now(): number; keptMs: number; capacity: number }): Kept<Value> {
  const kept = new Map<string, { value: Value; readAtMs: number }>();
  return {
    async get(name, read) {
      const known = kept.get(name);
      const nowMs = now();
      if (known && nowMs - known.readAtMs < keptMs) return known.value;
      const value = await read();
      kept.delete(name);
      kept.set(name, { value, readAtMs: nowMs });
      if (kept.size > capacity) kept.delete(kept.keys().next().value as string);
      return value;
    },
    clear: () => kept.clear(),
  };
}
