/** `headrace check FILE`: is this manifest fit to apply? Changes nothing. */
import path from 'node:path';
import type { Command } from 'commander';
import type { ManifestError } from '#src/manifest/manifest-error';
import { EXIT, ManifestProblem, SilentExit } from '../command-error.ts';
import { withExamples } from '../options.ts';
import { outputOf } from '../output.ts';
import { toPlainText } from '../plain-text.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface CheckOptions {
  json: boolean;
  /** Accept what only `npm start` accepts: literal keys and loopback addresses. */
  local: boolean;
}

/** What `--json` prints. */
interface CheckReport {
  ok: boolean;
  file: string;
  errors: readonly ManifestError[];
  warnings: readonly string[];
}

/** Adds the command that checks a file. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('check a manifest; changes nothing')
    .argument('<file>', 'manifest, such as headrace.yaml')
    .option('--local', 'accept what only npm start accepts: literal keys, loopback addresses', false)
    .option('--json', 'print one JSON object: ok, file, errors, warnings', false)
    .action(async (file: string, options: CheckOptions, self: Command) => {
      const output = outputOf(self);
      const { report, text } = await check(file, options);
      output.answer(report, () => text);
      if (!report.ok) throw new SilentExit(EXIT.refused);
    });
  withExamples(command, 'check headrace.yaml', 'check examples/local.yaml --local --json');
}

/** Checks a manifest file. Throws ManifestProblem unless JSON is wanted. */
async function check(file: string, { json, local }: CheckOptions): Promise<{ report: CheckReport; text: string }> {
  const [
    { countManifest },
    { surroundings },
    { LOCAL_HOSTS },
    { checkManifest, readManifestFile },
    { checkWarnings },
    { readEnvironment },
    { devnetSecrets },
  ] = await Promise.all([
    import('../manifest/describe-manifest.ts'),
    import('#src/house-facts'),
    import('../local-hosts.ts'),
    import('../manifest/read-manifest.ts'),
    import('../manifest/check-warnings.ts'),
    import('../dev/environment.ts'),
    import('#devnet/secrets'),
  ]);
  try {
    const around = surroundings(local, local ? LOCAL_HOSTS : []);
    const manifest = checkManifest(readManifestFile(file), file, around);
    const warnings = checkWarnings(manifest, around, { ...(local && devnetSecrets()), ...readEnvironment(ROOT, process.env) });
    const text = [`${file}: fine (${countManifest(manifest)})`, ...warnings.map((warning) => `! ${toPlainText(warning)}`)].join('\n');
    return { report: { ok: true, file, errors: [], warnings }, text };
  } catch (error) {
    if (!json || !(error instanceof ManifestProblem)) throw error;
    return { report: { ok: false, file, errors: error.errors, warnings: [] }, text: '' };
  }
}
