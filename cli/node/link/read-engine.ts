/** Looks at an engine's load, and at whether it is there at all. */
import { ask, type Answers, type AskOptions } from '../engines/answers.ts';
import type { EngineAdapter } from '../engines/engine.ts';
import type { EngineReading } from './load-monitor.ts';

/**
 * Builds the look. Where the adapter reads no load, one cheap question tells whether the engine is there. `declaredPool`: tokens that fit, where
 * the operator has said it.
 */
export function createReading(
  adapter: EngineAdapter,
  options: AskOptions,
  declaredPool: number | null = null,
): () => Promise<EngineReading> {
  const paths = adapter.load?.asks ?? ['/v1/models'];
  return async () => {
    const failures: unknown[] = [];
    const watched: typeof fetch = async (input, init) => {
      try {
        return await options.fetch(input, init);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    };
    const first = await ask(paths, { ...options, fetch: watched });
    if ([...first.values()].every((answer) => answer === null)) return failures.some(isRefused) ? 'gone' : 'busy';
    const more = adapter.load?.asksThen?.(first) ?? [];
    const answers: Answers = more.length === 0 ? first : new Map([...first, ...(await ask(more, options))]);
    const load = adapter.load?.read(answers, declaredPool) ?? null;
    return load === 'asleep' ? 'gone' : { load };
  };
}

/** A late answer is a busy engine; a refused connection is none. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'].includes(cause?.code ?? '') || hasRefusedParts(cause);
}

/** `localhost` has two addresses, and each refuses for itself. */
function hasRefusedParts(cause: unknown): boolean {
  return cause instanceof AggregateError && cause.errors.some((part) => (part as NodeJS.ErrnoException).code === 'ECONNREFUSED');
}
