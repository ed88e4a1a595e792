/** Turns the text of a manifest into a manifest, or into complaints with line, path and allowed values. Changes nothing. */
import { manifest as manifestSchema, type Manifest } from '#schema/manifest';
import { crossCheck } from './cross-check.ts';
import { formatPath, type Complaint, type ManifestError } from './manifest-error.ts';
import { nearest } from './nearest.ts';
import { readYaml, type ManifestSource } from './read-yaml.ts';
import { sayIssue } from './say-issue.ts';
import type { ManifestSurroundings } from './surroundings.ts';

/** A manifest that may be applied, or why it may not: errors in the order of the file, never empty. */
export type ParseResult = { ok: true; manifest: Manifest } | { ok: false; errors: ManifestError[] };

/** Complaints beyond this many help nobody. */
const ERRORS_MAX = 50;
/** The longest list of allowed words that goes with a complaint: every country there is. */
const ALLOWED_MAX = 300;

/** Parses and checks a manifest completely: syntax first, then fields, then what must agree across the file. */
export function parseManifest(text: string, around: ManifestSurroundings): ParseResult {
  const read = readYaml(text);
  if ('errors' in read) return { ok: false, errors: read.errors.slice(0, ERRORS_MAX) };
  const { source } = read;
  if (source.value === null) return fail(source, [{ path: [], message: 'the file is empty; the shortest manifest is `version: 1`' }]);

  const parsed = manifestSchema.safeParse(source.value);
  if (!parsed.success) {
    const complaints = parsed.error.issues.flatMap((issue) => sayIssue(issue, manifestSchema, source.value));
    return fail(source, complaints);
  }
  const complaints = crossCheck(parsed.data, around);
  return complaints.length === 0 ? { ok: true, manifest: parsed.data } : fail(source, complaints);
}

function fail(source: ManifestSource, complaints: readonly Complaint[]): ParseResult {
  const errors = complaints.slice(0, ERRORS_MAX).map((complaint) => place(source, complaint));
  errors.sort((left, right) => left.line - right.line || left.column - right.column);
  return { ok: false, errors };
}

function place(source: ManifestSource, { path, message, allowed, word, onKey = false }: Complaint): ManifestError {
  const suggestion = word === undefined ? undefined : nearest(word, allowed ?? []);
  return {
    ...source.locate(path, onKey),
    path: formatPath(path),
    message,
    ...(allowed === undefined || allowed.length > ALLOWED_MAX ? {} : { allowed: [...allowed] }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
