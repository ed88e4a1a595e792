/** What an engine does not tell of itself and its operator could, with the flags for it. */
import type { EngineAdapter, EngineModel } from './engines/engine.ts';

/** Names what is missing, in one line; null where nothing is. `isLimited`: the operator has said how many requests run at once. */
export function sayUntold({ title, load }: EngineAdapter, models: readonly EngineModel[], isLimited: boolean): string | null {
  // One that tells its load says by itself when it has enough.
  const isCounted = isLimited || load !== null;
  const untold = [
    models.some(({ kvCache }) => kvCache === 'unknown') && 'how its KV cache is stored (--kv-cache)',
    models.some(({ poolSource }) => poolSource === 'least') &&
      'whether its slots share one cache, so one slot’s context is all that is promised (--kv-pool)',
    models.some(({ capacity }) => capacity.poolTokens === null) && 'how many tokens fit (--kv-pool)',
    !isCounted && models.some(({ capacity }) => capacity.maxSequences === null) && 'how many requests it runs at once (--max-concurrency)',
  ].filter((missing) => missing !== false);
  return untold.length === 0 ? null : `${title} does not tell ${untold.join(', nor ')}: say what you know`;
}
