/** Builds a load from what an engine counts. */
import { toCount, toShare } from './answers.ts';
import type { EngineLoad } from './engine.ts';

/** Builds a load; null where the engine does not count what runs. A share that is none is left out, not believed. */
export function toLoad(counted: { running: unknown; waiting: unknown; kvUsage: unknown }): EngineLoad | null {
  const running = toCount(counted.running);
  return running === null ? null : { running, waiting: toCount(counted.waiting), kvUsage: toShare(counted.kvUsage) };
}
