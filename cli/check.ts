/** `headrace check FILE`: is this manifest fit to apply? Changes nothing. */
import type { ManifestError } from '#src/manifest/manifest-error';
import { ManifestProblem } from './command-error.ts';
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
}

/** Checks a manifest file and returns what to print. Throws ManifestProblem unless JSON is wanted. */
export function check(file: string, { json, local }: CheckOptions): { ok: boolean; output: string } {
  const around = surroundings(local, local ? LOCAL_HOSTS : []);
  try {
    const { endpoints, policies, teams } = checkManifest(readManifestFile(file), file, around);
    const said = `${file}: fine (${endpoints.length} endpoints, ${Object.keys(policies).length} policies, ${teams.length} teams)`;
    return { ok: true, output: json ? toJson({ ok: true, file, errors: [] }) : said };
  } catch (error) {
    if (!json || !(error instanceof ManifestProblem)) throw error;
    return { ok: false, output: toJson({ ok: false, file, errors: error.errors }) };
  }
}

function toJson(report: CheckReport): string {
  return JSON.stringify(report);
}
