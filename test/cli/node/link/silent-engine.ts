import type { AskEngine } from '#cli/node/link/engine-port';

/** An engine that never answers, and remembers who has left. */
export function silentEngine(): { ask: AskEngine; left: string[] } {
  const left: string[] = [];
  const ask: AskEngine = ({ path }, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        left.push(path);
        reject(new Error('aborted'));
      });
    });
  return { ask, left };
}
