/** Questions on the terminal. */
import { createInterface } from 'node:readline/promises';
import { EXIT, SilentExit } from './command-error.ts';

/** Answers whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a question on stderr that only `y` or `yes` answers with yes. Throws SilentExit when Ctrl-C is pressed. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D must not leave the question open for ever.
  const left = new AbortController();
  let isInterrupted = false;
  terminal.once('SIGINT', () => {
    isInterrupted = true;
    left.abort();
  });
  terminal.once('close', () => left.abort());
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal: left.signal })).trim());
  } catch {
    process.stderr.write('\n');
    if (isInterrupted) throw new SilentExit(EXIT.interrupted);
    return false;
  } finally {
    terminal.close();
  }
}
