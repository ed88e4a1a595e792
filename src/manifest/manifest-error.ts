/** What is wrong with a manifest, and where. */

/** Steps into the document: keys of maps, indexes of lists. */
export type Path = readonly (string | number)[];

/** One complaint. `line` and `column` count from 1. */
export interface ManifestError {
  line: number;
  column: number;
  /** For example `endpoints[0].price.prompt`; empty for the file as a whole. */
  path: string;
  message: string;
  allowed?: string[];
  suggestion?: string;
}

/** A complaint that still has to be placed in the file. `onKey` points at the key instead of its value. */
export interface Complaint {
  path: Path;
  message: string;
  allowed?: readonly string[] | undefined;
  /** What was written where one of the allowed words may have been meant. */
  word?: string | undefined;
  onKey?: boolean;
}

/** Writes a path the way people do. */
export function formatPath(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

/** Lists allowed values at most this long; longer lists tell nobody anything. */
const ALLOWED_SHOWN_MAX = 40;

/** Writes one complaint on one line: place, path, message, suggestion, allowed values. */
export function formatManifestError(error: ManifestError, file: string): string {
  const where = error.path === '' ? '' : ` ${error.path}:`;
  const suggestion = error.suggestion === undefined ? '' : `; did you mean ${error.suggestion}?`;
  const allowed = error.allowed === undefined || error.allowed.length > ALLOWED_SHOWN_MAX ? '' : ` (allowed: ${error.allowed.join(', ')})`;
  return `${file}:${error.line}:${error.column}:${where} ${error.message}${suggestion}${allowed}`;
}
