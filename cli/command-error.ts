/** An error for the person at the terminal: one line, no stack. */
import { formatManifestError, type ManifestError } from '#src/manifest/manifest-error';
import { toPlainText } from './plain-text.ts';

/** Exit codes of every command; `headrace --help` lists them. */
export const EXIT = { fine: 0, refused: 1, usage: 2, unreachable: 3, dismissed: 4, changes: 10, interrupted: 130 } as const;

/** Says why a command cannot go on. `details` are further lines; the message alone must suffice. */
export class CommandError extends Error {
  readonly details: readonly string[];
  readonly exitCode: number = EXIT.refused;

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'CommandError';
    this.details = details;
  }
}

/** The command line itself is wrong: flags that do not go together, a value that cannot be read. */
export class UsageError extends CommandError {
  override readonly exitCode = EXIT.usage;
}

/** Nothing answers that is a router. */
export class Unreachable extends CommandError {
  override readonly exitCode = EXIT.unreachable;
}

/** The router wants this process no more: to come again would change nothing, or do harm. */
export class Dismissed extends CommandError {
  override readonly exitCode = EXIT.dismissed;
}

/** Ends a command whose output has said everything. */
export class SilentExit extends CommandError {
  override readonly exitCode: number;

  constructor(exitCode: number) {
    super('');
    this.exitCode = exitCode;
  }
}

/** A manifest that may not be applied: the first complaint is the message. It quotes the file, so a line of it must not pass for one of ours. */
export class ManifestProblem extends CommandError {
  readonly errors: readonly ManifestError[];

  constructor(errors: readonly ManifestError[], file: string) {
    const [first = `${file}: not a manifest`, ...rest] = errors.map((error) => toPlainText(formatManifestError(error, file)));
    super(first, rest);
    this.name = 'ManifestProblem';
    this.errors = errors;
  }
}
