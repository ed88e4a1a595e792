/** `headrace check FILE`: is this manifest fit to apply? Changes nothing. */
import type { ManifestError } from '#src/manifest/manifest-error';
import { ManifestProblem } from './command-error.ts';
import { countManifest, notEnforced } from './describe-manifest.ts';
import { surroundings } from './house-facts.ts';
import { LOCAL_HOSTS } from './local-hosts.ts';
import { checkManifest, readManifestFile } from './read-manifest.ts';

export interface CheckOptions {
  json: boolean;
  /** Accept what only `npm start` accepts: literal keys and loopback addresses. */
  local: boolean;
}

/** What `--json` prints. */
export interface CheckReport {
  ok: boolean;
  file: string;
  errors: readonly ManifestError[];
  warnings: readonly string[];
}

/** Checks a manifest file and returns what to print. Throws ManifestProblem unless JSON is wanted. */
export function check(file: string, { json, local }: CheckOptions): { ok: boolean; output: string } {
  const around = surroundings(local, local ? LOCAL_HOSTS : []);
  try {
    const manifest = checkManifest(readManifestFile(file), file, around);
    const warnings = notEnforced(manifest).map((what) => `stored, not enforced yet: ${what}`);
    const said = [`${file}: fine (${countManifest(manifest)})`, ...warnings.map((warning) => `! ${warning}`)].join('\n');
    return { ok: true, output: json ? toJson({ ok: true, file, errors: [], warnings }) : said };
  } catch (error) {
    if (!json || !(error instanceof ManifestProblem)) throw error;
    return { ok: false, output: toJson({ ok: false, file, errors: error.errors, warnings: [] }) };
  }
}

function toJson(report: CheckReport): string {
  return JSON.stringify(report);
}
