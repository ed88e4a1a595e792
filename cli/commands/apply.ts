/** `headrace apply FILE`: makes a deployment match a manifest, all or nothing, after showing what that would change. */
import type { Command } from 'commander';
import type { AppliedManifest } from '#schema/answers/manifest';
import type { Change } from '#schema/change';
import type { ManifestError } from '#src/manifest/manifest-error';
import { canAsk, confirm } from '../ask.ts';
import { CommandError, EXIT, ManifestProblem, SilentExit, UsageError } from '../command-error.ts';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Output } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayNumberOf } from '../quantities.ts';
import { createClient, RefusedError, type Client } from '../router/client.ts';
import { findConnection } from '../router/connection.ts';
import { countChanges, showChanges } from '../show/changes.ts';

interface ApplyOptions extends RouterOptions {
  dryRun: boolean;
  plan?: string;
  prune: boolean;
  yes: boolean;
  exitCode: boolean;
}

/** Adds the command that applies a file. */
export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description('make a deployment match a manifest; shows the difference, then applies all of it or nothing')
    .argument('<file>', 'manifest, such as headrace.yaml')
    .option('--dry-run', 'show the difference and the digest of this plan; change nothing', false)
    .option('--plan <digest>', 'apply exactly the plan that a dry run has shown, without asking; refuse when it has changed')
    .option('--prune', 'delete what the file no longer names, keys too; without it keys are only disabled', false)
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .option('--exit-code', 'with --dry-run: exit with 10 when there are changes', false)
    .action((file: string, options: ApplyOptions, self: Command) => apply(file, options, outputOf(self)));
  withExamples(
    withRouter(command),
    'apply headrace.yaml --dry-run',
    'apply headrace.yaml --plan 3f9c1a7e --url https://router.example',
    'apply headrace.yaml --yes --prune --json',
  );
}

async function apply(file: string, options: ApplyOptions, output: Output): Promise<void> {
  refuseContradictions(options, output);
  const body = await readDeployment(file, options.prune);
  const connection = findConnection(options, 'management');
  const client = createClient(connection);

  const planned = await put(client, { ...body, dry_run: true }, file);
  if (!output.isJson) showPlan(planned, output);
  if (options.dryRun) return endDryRun(planned, file, options, output);

  if (options.plan !== undefined && options.plan !== planned.plan)
    throw new CommandError(
      `the plan is ${planned.plan} now, not ${options.plan}: the file, the keys that are set here or the deployment have changed; nothing applied`,
    );
  const mustAsk = planned.changes.length > 0 && !options.yes && options.plan === undefined;
  if (mustAsk && !(await confirm(`Apply to ${connection.url}?`))) throw new CommandError('nothing applied');

  const applied = await put(client, { ...body, expect: planned.plan }, file).catch((error: unknown) => {
    throw isConflict(error) ? sayConflict(error, output) : error;
  });
  output.answer({ data: applied }, ({ data }) => sayApplied(data));
}

/** As terraform does: what nobody can confirm has to be confirmed on the command line. */
function refuseContradictions({ dryRun, yes, plan, exitCode }: ApplyOptions, { isJson }: Output): void {
  if (exitCode && !dryRun) throw new UsageError('--exit-code goes with --dry-run');
  if (dryRun && (yes || plan !== undefined)) throw new UsageError('--dry-run applies nothing: leave out --yes and --plan');
  if (dryRun || yes || plan !== undefined) return;
  if (isJson) throw new UsageError('--json cannot ask: add --dry-run, --yes or --plan DIGEST');
  if (!canAsk()) throw new UsageError('there is no terminal to ask on: add --dry-run, --yes or --plan DIGEST');
}

/** Checks the file here, where its lines can be named, and gathers what the router needs. Throws ManifestProblem, CommandError. */
async function readDeployment(file: string, prune: boolean) {
  const [{ surroundings }, { keyId }, { clientKeys }, { requireClientKeys }, { checkManifest, readManifestFile }] = await Promise.all([
    import('#src/house-facts'),
    import('#src/manifest/compile'),
    import('#src/manifest/secrets'),
    import('../dev/resolve-keys.ts'),
    import('../manifest/read-manifest.ts'),
  ]);
  const text = readManifestFile(file);
  // Which private hosts may be called, only the deployment knows: it has the last word on addresses.
  const manifest = checkManifest(text, file, surroundings(false, hostsIn(text)));
  const { keys } = requireClientKeys(manifest, definedOnly(process.env));
  return {
    manifest: text,
    prune,
    client_keys: clientKeys(manifest).flatMap(({ team, name }) => {
      const resolved = keys.get(keyId(team, name));
      return resolved === undefined ? [] : [{ team, name, ...resolved }];
    }),
  };
}

function hostsIn(text: string): string[] {
  return [
    ...new Set(
      [...text.matchAll(/https?:\/\/(?:\[([^\]\s]{1,64})\]|([^\s:/"'#?,}]+))/gi)].map(([, v6, name]) => (v6 ?? name ?? '').toLowerCase()),
    ),
  ];
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/** Throws ManifestProblem where the router finds the manifest invalid: it knows of more than this machine. */
async function put(client: Client, body: object, file: string): Promise<AppliedManifest> {
  try {
    return (await client.put<{ data: AppliedManifest }>('/manifest', body)).data;
  } catch (error) {
    const errors = error instanceof RefusedError ? error.metadata.errors : undefined;
    throw Array.isArray(errors) && errors.length > 0 ? new ManifestProblem(errors as ManifestError[], file) : error;
  }
}

const HOW_TO_GIVE_KEYS = 'set their variables here or their secrets there; those that exist stay as they are';

function showPlan({ changes, warnings, missing_keys: missing }: AppliedManifest, output: Output): void {
  for (const line of showChanges(changes, output)) output.say(line);
  for (const warning of warnings) output.note(output.paint('yellow', `! ${toPlainText(warning)}`));
  if (missing.length > 0)
    output.note(output.paint('yellow', `! ${sayNumberOf(missing.length, 'key')} without a value: ${HOW_TO_GIVE_KEYS}`));
  for (const key of missing) output.note(`    ${toPlainText(key)}`);
  if (changes.length > 0) output.say(`\n${countChanges(changes)}`);
}

/** A plan's digest stands in a command that people paste: what else it might hold must not reach a shell. */
const DIGEST = /^\w{1,64}$/;

function endDryRun(planned: AppliedManifest, file: string, options: ApplyOptions, output: Output): void {
  const { changes, plan } = planned;
  if (!DIGEST.test(plan)) throw new CommandError('the router does not answer with the digest of a plan');
  if (output.isJson) output.json({ data: planned });
  else if (changes.length === 0) output.say('nothing to change');
  else output.say(`plan ${plan}; apply exactly this: ${sayAgain(file, options)} --plan ${plan}`);
  if (options.exitCode && changes.length > 0) throw new SilentExit(EXIT.changes);
}

/** The same command again, without the key: it would stand in the shell's history. */
function sayAgain(file: string, { prune, url, state }: ApplyOptions): string {
  const flags = [prune ? '--prune' : '', url === undefined ? '' : `--url ${url}`, state === undefined ? '' : `--state ${state}`];
  return ['npx headrace apply', file, ...flags].filter((part) => part !== '').join(' ');
}

function sayApplied({ applied, version, changes }: AppliedManifest): string {
  if (changes.length === 0) return version === null ? 'nothing to change' : `nothing to change (version ${version})`;
  return applied ? `applied version ${version} (${countChanges(changes)})` : 'nothing applied';
}

function isConflict(error: unknown): error is RefusedError {
  return error instanceof RefusedError && error.code === 'conflict';
}

/** Somebody was faster: says what applying would change now. */
function sayConflict({ metadata }: RefusedError, output: Output): CommandError {
  const changes = Array.isArray(metadata.changes) ? (metadata.changes as Change[]) : [];
  const details = changes.length === 0 ? [] : ['what would change now:', ...showChanges(changes, output)];
  return new CommandError('the deployment has changed since the difference was computed; nothing applied', details);
}
