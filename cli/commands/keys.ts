/** `headrace keys`: the keys that clients ask with. */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import type { createdKey, rotatedKey } from '#schema/answers/keys';
import { canAsk, confirm } from '../ask.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { parseDeadline, parseDurationS } from '../duration.ts';
import { parseCount, parseList, parseUsd, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Output } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayInstant, sayLimits, sayUsd } from '../quantities.ts';
import { openManagement } from '../router/client.ts';
import { findKey, listKeys, type ManagedKey } from '../router/find-key.ts';
import { formatTable, type Column } from '../table.ts';

interface TeamOptions extends RouterOptions {
  team?: string;
}

interface CreateOptions extends RouterOptions {
  team: string;
  name: string;
  policy?: string;
  models?: string[];
  limit?: number;
  reset?: 'daily' | 'weekly' | 'monthly';
  rpm?: number;
  tpm?: number;
  concurrent?: number;
  expires?: string;
  quiet: boolean;
}

interface RotateOptions extends TeamOptions {
  overlap?: number;
  quiet: boolean;
}

interface DeleteOptions extends TeamOptions {
  yes: boolean;
}

/** Adds the commands that make, list, change and delete keys. */
export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('make, list, rotate, disable and delete the keys that clients ask with');
  addCreate(keys);
  addList(keys);
  addRotate(keys);
  addSwitch(keys, 'disable', true);
  addSwitch(keys, 'enable', false);
  addDelete(keys);
  withExamples(
    keys,
    'keys create --team research --name ci --limit 5 --reset daily',
    'keys list --team research',
    'keys rotate ci --overlap 24h',
  );
}

function addCreate(keys: Command): void {
  const command = keys
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--team <id>', 'team that pays')
    .requiredOption('--name <name>', 'what people call it')
    .option('--policy <name>', "stored policy that holds beside the team's")
    .option('--models <globs>', 'models that it may ask for, such as qwen/*,openai/gpt-oss-120b', parseList)
    .option('--limit <usd>', 'USD that it may be charged', parseUsd)
    .addOption(new Option('--reset <period>', 'when the limit begins anew, at UTC midnight').choices(['daily', 'weekly', 'monthly']))
    .option('--rpm <n>', 'requests per minute', parseCount)
    .option('--tpm <n>', 'tokens per minute', parseCount)
    .option('--concurrent <n>', 'requests at once', parseCount)
    .option('--expires <when>', 'a date such as 2027-01-31, or 90d from now', parseDeadline)
    .option('-q, --quiet', 'print the key and nothing else', false)
    .action(async (options: CreateOptions, self: Command) => {
      const output = outputOf(self);
      const made = await openManagement(options).post<z.infer<typeof createdKey>>('/keys', toWish(options));
      sayNewKey(made, options.quiet, output, `key ${made.data.name} of team ${made.data.headrace.team ?? '–'}; it is shown this once:`);
    });
  withExamples(
    withRouter(command),
    'keys create --team research --name ci --limit 5 --reset daily --models "qwen/*"',
    'keys create --team web --name site --rpm 600 --expires 90d --quiet > key.txt',
  );
}

function toWish(options: CreateOptions): Record<string, unknown> {
  const { team, name, policy, models, limit, reset, rpm, tpm, concurrent, expires } = options;
  if (reset !== undefined && limit === undefined) throw new UsageError('--reset goes with --limit');
  const limits = {
    ...(rpm !== undefined && { requests_per_minute: rpm }),
    ...(tpm !== undefined && { tokens_per_minute: tpm }),
    ...(concurrent !== undefined && { concurrent }),
  };
  return {
    team,
    name,
    ...(policy !== undefined && { policy }),
    ...(models !== undefined && { models }),
    ...(limit !== undefined && { limit, limit_reset: reset ?? null }),
    ...(expires !== undefined && { expires_at: expires }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

/** Prints a new key: the key itself on stdout, what it is beside it. */
function sayNewKey(made: { key: string }, isQuiet: boolean, output: Output, what: string): void {
  if (!isQuiet && !output.isJson) output.note(toPlainText(what));
  if (isQuiet) output.say(made.key);
  else output.answer(made, ({ key }) => key);
}

function addList(keys: Command): void {
  const command = keys
    .command('list')
    .description('list keys, disabled ones too')
    .option('--team <id>', 'only this team')
    .action(async (options: TeamOptions, self: Command) => {
      const output = outputOf(self);
      const data = await listKeys(openManagement(options), options.team);
      output.answer({ data }, () => (data.length === 0 ? 'no keys' : formatTable(data, KEY_COLUMNS, output)));
    });
  withExamples(withRouter(command), 'keys list', 'keys list --team research --json');
}

const KEY_COLUMNS: Column<ManagedKey>[] = [
  { title: 'name', shrinkTo: 12, cell: ({ name }) => name },
  { title: 'team', shrinkTo: 8, cell: ({ headrace }) => headrace.team },
  { title: 'state', cell: sayState },
  { title: 'key', optional: 6, cell: ({ label }) => label },
  { title: 'hash', cell: ({ hash }) => hash.slice(0, 8) },
  { title: 'policy', optional: 3, shrinkTo: 8, cell: ({ headrace }) => headrace.policy },
  { title: 'models', optional: 7, shrinkTo: 8, cell: ({ headrace }) => headrace.models?.join(', ') },
  { title: 'used', align: 'right', cell: ({ usage }) => sayUsd(usage) },
  { title: 'limit', optional: 2, cell: ({ limit, limit_reset: reset }) => (limit === null ? '' : `${sayUsd(limit)} ${reset ?? 'in all'}`) },
  { title: 'left', align: 'right', optional: 1, cell: ({ limit_remaining: left }) => sayUsd(left) },
  { title: 'limits', optional: 4, cell: ({ headrace }) => sayLimits(headrace.limits) },
  { title: 'expires', optional: 5, cell: ({ expires_at: expires }) => sayInstant(expires) },
  { title: 'from', optional: 8, cell: ({ headrace }) => headrace.source },
];

function sayState({ disabled, expires_at: expires }: ManagedKey) {
  if (disabled) return { text: 'disabled', style: 'red' as const };
  const isOver = expires !== null && Date.parse(expires) <= Date.now();
  return isOver ? { text: 'expired', style: 'red' as const } : { text: 'on', style: 'green' as const };
}

function addRotate(keys: Command): void {
  const command = keys
    .command('rotate')
    .description('give a key a new value; the old one works until the overlap ends')
    .argument('<key>', 'name, or the start of its hash')
    .option('--team <id>', 'look only in this team')
    .option('--overlap <time>', 'how long the old value works, at most 30d; 0s ends it at once (default: 24h)', parseDurationS)
    .option('-q, --quiet', 'print the key and nothing else', false)
    .action(async (word: string, options: RotateOptions, self: Command) => {
      const output = outputOf(self);
      const client = openManagement(options);
      const { hash, name } = await findKey(client, word, options.team);
      const body = options.overlap === undefined ? {} : { overlap_s: options.overlap };
      const made = await client.post<z.infer<typeof rotatedKey>>(`/keys/${hash}/rotate`, body);
      sayNewKey(
        made,
        options.quiet,
        output,
        `key ${name} has a new value, shown this once; the old one works until ${sayInstant(made.replaces.works_until)}:`,
      );
    });
  withExamples(withRouter(command), 'keys rotate ci', 'keys rotate 3f9c1a7e --overlap 0s --quiet');
}

function addSwitch(keys: Command, verb: 'disable' | 'enable', isDisabled: boolean): void {
  const command = keys
    .command(verb)
    .description(isDisabled ? 'refuse a key from now on; within a minute everywhere' : 'accept a disabled key again')
    .argument('<key>', 'name, or the start of its hash')
    .option('--team <id>', 'look only in this team')
    .action(async (word: string, options: TeamOptions, self: Command) => {
      const output = outputOf(self);
      const client = openManagement(options);
      const { hash, disabled } = await findKey(client, word, options.team);
      const answer = await client.patch<{ data: ManagedKey }>(`/keys/${hash}`, { disabled: isDisabled });
      const already = disabled === isDisabled ? ' already' : '';
      output.answer(answer, ({ data }) => toPlainText(`key ${data.name} of team ${data.headrace.team ?? '–'} is ${verb}d${already}`));
    });
  withExamples(withRouter(command), `keys ${verb} ci --team research`, `keys ${verb} 3f9c1a7e`);
}

function addDelete(keys: Command): void {
  const command = keys
    .command('delete')
    .description('delete a key for good; its receipts stay')
    .argument('<key>', 'name, or the start of its hash')
    .option('--team <id>', 'look only in this team')
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .action(async (word: string, options: DeleteOptions, self: Command) => {
      const output = outputOf(self);
      if (!options.yes && (output.isJson || !canAsk())) throw new UsageError('there is nobody to ask: add --yes');
      const client = openManagement(options);
      const { hash, name, headrace } = await findKey(client, word, options.team);
      const what = toPlainText(`key ${name} of team ${headrace.team ?? '–'} (hash ${hash.slice(0, 8)}…)`);
      if (!options.yes && !(await confirm(`Delete ${what} for good?`))) throw new CommandError('nothing deleted');
      output.answer(await client.delete(`/keys/${hash}`), () => `deleted ${what}`);
    });
  withExamples(withRouter(command), 'keys delete ci --team research', 'keys delete 3f9c1a7e --yes');
}
