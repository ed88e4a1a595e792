/** `headrace byok`: the provider keys that teams bring along. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { providerKeyData } from '#schema/answers/byok';
import { canAsk, confirm } from '../ask.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayInstant } from '../quantities.ts';
import { readSecret } from '../read-secret.ts';
import { openManagement, type Client } from '../router/client.ts';
import { readPages } from '../router/pages.ts';
import { formatTable, type Column } from '../table.ts';

type ProviderKey = z.infer<typeof providerKeyData>['data'];

interface AddOptions extends RouterOptions {
  provider: string;
  team: string;
  name?: string;
  keyEnv?: string;
}

interface ListOptions extends RouterOptions {
  team?: string;
}

interface RemoveOptions extends RouterOptions {
  yes: boolean;
}

/** Adds the commands for teams' own provider keys. */
export function addByokCommand(program: Command): void {
  const byok = program
    .command('byok')
    .description("keep teams' own provider keys: encrypted, used for their requests only, never shown again");
  addAdd(byok);
  addList(byok);
  addRemove(byok);
  withExamples(
    byok,
    'byok add --provider together --team research --key-env TOGETHER_API_KEY',
    'byok list --team research',
    'byok remove 5f2c',
  );
}

function addAdd(byok: Command): void {
  const command = byok
    .command('add')
    .description('store a provider key of a team; the key comes from a variable or from stdin')
    .requiredOption('--provider <id>', 'provider that the key is for')
    .requiredOption('--team <id>', 'team that it belongs to')
    .option('--name <name>', 'what people call it')
    .option('--key-env <name>', 'variable of the environment that holds the provider key (default: read stdin)')
    .action(async ({ provider, team, name, keyEnv, ...options }: AddOptions, self: Command) => {
      const client = openManagement(options);
      const key = await readSecret(keyEnv);
      const answer = await client.post<{ data: ProviderKey }>('/byok', { provider, team, key, ...(name !== undefined && { name }) });
      outputOf(self).answer(answer, ({ data }) => toPlainText(`stored ${data.label} for ${provider}, team ${team} (id ${data.id})`));
    });
  withExamples(
    withRouter(command),
    'byok add --provider together --team research --key-env TOGETHER_API_KEY',
    'byok add --provider groq --team web --name site < groq-key.txt',
  );
}

function addList(byok: Command): void {
  const command = byok
    .command('list')
    .description('list provider keys; the keys themselves are never shown')
    .option('--team <id>', 'only this team')
    .action(async ({ team, ...options }: ListOptions, self: Command) => {
      const output = outputOf(self);
      const data = await readPages<ProviderKey>(openManagement(options), '/byok', { workspace_id: team });
      output.answer({ data }, () => (data.length === 0 ? 'no provider keys' : formatTable(data, COLUMNS, output)));
    });
  withExamples(withRouter(command), 'byok list', 'byok list --team research --json');
}

const COLUMNS: Column<ProviderKey>[] = [
  { title: 'id', shrinkTo: 10, cell: ({ id }) => id },
  { title: 'provider', cell: ({ provider }) => provider },
  { title: 'team', shrinkTo: 8, cell: ({ headrace }) => headrace.team },
  { title: 'name', optional: 2, shrinkTo: 8, cell: ({ name }) => name },
  { title: 'key', cell: ({ label }) => label },
  { title: 'state', cell: ({ disabled }) => (disabled ? { text: 'disabled', style: 'red' } : { text: 'on', style: 'green' }) },
  { title: 'since', optional: 1, cell: ({ created_at: created }) => sayInstant(created) },
];

function addRemove(byok: Command): void {
  const command = byok
    .command('remove')
    .description('delete a provider key; requests use the deployment’s again')
    .argument('<id>', 'id, or how it begins where that is unique')
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .action(async (id: string, options: RemoveOptions, self: Command) => {
      const output = outputOf(self);
      if (!options.yes && (output.isJson || !canAsk())) throw new UsageError('there is nobody to ask: add --yes');
      const client = openManagement(options);
      const key = await findProviderKey(client, id);
      const what = toPlainText(`${key.label} for ${key.provider}, team ${key.headrace.team}`);
      if (!options.yes && !(await confirm(`Delete ${what}?`))) throw new CommandError('nothing deleted');
      output.answer(await client.delete(`/byok/${encodeURIComponent(key.id)}`), () => `deleted ${what}`);
    });
  withExamples(withRouter(command), 'byok remove 5f2c', 'byok remove 5f2c8a --yes');
}

async function findProviderKey(client: Client, id: string): Promise<ProviderKey> {
  const keys = await readPages<ProviderKey>(client, '/byok');
  const exact = keys.filter((key) => key.id === id);
  const [found, ...others] = exact.length > 0 ? exact : keys.filter((key) => key.id.startsWith(id));
  if (found === undefined) throw new CommandError(`no provider key has the id ${toPlainText(id)} (see headrace byok list)`);
  if (others.length > 0) throw new CommandError(`${others.length + 1} provider keys begin with ${toPlainText(id)}: give more of the id`);
  return found;
}
