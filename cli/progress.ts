/** Progress for people: one line for each finished step, with its time. */

/** Runs one named step of a command and reports it. */
export type Step = <T>(title: string, run: () => T | Promise<T>, say?: (result: T) => string) => Promise<T>;

/** Runs steps without a word. */
export const silently: Step = async (_title, run) => run();

/** Reports each step on a line of its own: `✓ title, what came of it  0.3 s`. Failures are left to the error. */
export function createProgress(write: (line: string) => void, nowMs: () => number): Step {
  return async (title, run, say) => {
    const startedAtMs = nowMs();
    const result = await run();
    const said = say?.(result) ?? '';
    write(`✓ ${title}${said === '' ? '' : `: ${said}`}  ${((nowMs() - startedAtMs) / 1000).toFixed(1)} s`);
    return result;
  };
}
