/** An error for the person at the terminal: one line, no stack. */
import { formatManifestError, type ManifestError } from '#src/manifest/manifest-error';

/** Says why a command cannot go on. `details` are further lines; the message alone must suffice. */
export class CommandError extends Error {
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'CommandError';
    this.details = details;
  }
}

/** A manifest that may not be applied: the first complaint is the message. */
export class ManifestProblem extends CommandError {
  readonly errors: readonly ManifestError[];

  constructor(errors: readonly ManifestError[], file: string) {
    const [first = `${file}: not a manifest`, ...rest] = errors.map((error) => formatManifestError(error, file));
    super(first, rest);
    this.name = 'ManifestProblem';
    this.errors = errors;
  }
}
