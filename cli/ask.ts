/** Questions on the terminal. */
import { createInterface } from 'node:readline/promises';
import { CommandError, EXIT, SilentExit, UsageError } from './command-error.ts';

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

/**
 * Asks before something goes for good, unless `--yes` has said so. Throws UsageError where nobody can be asked, CommandError where the answer
 * is no.
 */
export async function confirmLoss(question: string, { yes, isJson }: { yes: boolean; isJson: boolean }): Promise<void> {
  if (yes) return;
  if (isJson || !canAsk()) throw new UsageError('there is nobody to ask: add --yes');
  if (!(await confirm(question))) throw new CommandError('nothing changed');
}
