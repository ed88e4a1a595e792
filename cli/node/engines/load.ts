/** Builds a load from what an engine counts. */
import type { NodeLoad } from '#schema/node';
import { toCount, toShare } from './answers.ts';

/** Builds a load; null where the engine does not count what runs. A share that is none is left out, not believed. */
export function toLoad(counted: { running: unknown; waiting: unknown; kvUsage: unknown }): NodeLoad | null {
  const running = toCount(counted.running);
  return running === null ? null : { running, waiting: toCount(counted.waiting) ?? 0, kvUsage: toShare(counted.kvUsage) };
}
