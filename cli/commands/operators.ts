/** `headrace operators`: whoever brings supply, and their keys. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { createdOperator, operatorData, operatorKeyList } from '#schema/answers/operators';
import { confirmLoss } from '../ask.ts';
import { CommandError } from '../command-error.ts';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Output } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayShare, sayUsd } from '../quantities.ts';
import { openManagement, openSupply } from '../router/client.ts';
import { readAll } from '../router/pages.ts';
import { formatTable, type Column } from '../table.ts';

type Created = z.infer<typeof createdOperator>;
type Operator = Created['data'];
type OperatorWithEarnings = z.infer<typeof operatorData>['data'];
type Key = z.infer<typeof operatorKeyList>['data'][number];

interface CreateOptions extends RouterOptions {
  name?: string;
  team?: string;
  quiet: boolean;
}

/** Adds the commands for operators. */
export function addOperatorsCommand(program: Command): void {
  const operators = program
    .command('operators')
    .description('let others bring supply: make operators, give them keys, see how far they are trusted');
  addCreate(operators);
  addList(operators);
  addShow(operators);
  addKeys(operators);
  addRevoke(operators);
  addDelete(operators);
  withExamples(operators, 'operators create alice', 'operators create lab --team research', 'operators list', 'operators keys alice');
}

function addCreate(operators: Command): void {
  const command = operators
    .command('create')
    .description('make an operator with a key of its own; the key is shown this once')
    .argument('<id>', 'name that stands in lists and receipts')
    .option('--name <name>', 'what people call it')
    .option('--team <id>', 'its endpoints serve this team alone')
    .option('-q, --quiet', 'print the key and nothing else', false)
    .action(async (id: string, { name, team, quiet, ...options }: CreateOptions, self: Command) => {
      const wish = { id, ...(name !== undefined && { name }), ...(team !== undefined && { team }) };
      const made = await openManagement(options).post<Created>('/operators', wish);
      sayKey(made, quiet, outputOf(self), `operator ${made.data.id}; its key is shown this once:`);
    });
  withExamples(withRouter(command), 'operators create alice', 'operators create lab --team research --quiet > lab-key.txt');
}

/** Prints a new key: the key itself on stdout, what it is beside it. */
function sayKey(made: Created, isQuiet: boolean, output: Output, what: string): void {
  if (!isQuiet && !output.isJson) output.note(toPlainText(what));
  if (isQuiet) output.say(made.key);
  else output.answer(made, ({ key }) => key);
}

function addList(operators: Command): void {
  const command = operators
    .command('list')
    .description('list operators; an operator key sees its own')
    .action(async (options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await readAll<Operator>(openSupply(options), '/operators');
      output.answer(answer, ({ data }) => (data.length === 0 ? 'no operators' : formatTable(data, COLUMNS, output)));
    });
  withExamples(withRouter(command), 'operators list', 'operators list --json');
}

const COLUMNS: Column<Operator>[] = [
  { title: 'operator', shrinkTo: 12, cell: ({ id }) => id },
  { title: 'name', optional: 2, shrinkTo: 10, cell: ({ id, name }) => (name === id ? null : name) },
  { title: 'team', optional: 1, shrinkTo: 8, cell: ({ team }) => team },
  { title: 'endpoints', align: 'right', cell: ({ endpoints }) => sayCount(endpoints) },
  { title: 'nodes', align: 'right', cell: ({ nodes }) => sayCount(nodes) },
  { title: 'clean', align: 'right', cell: ({ clean_completions: clean }) => sayCount(clean) },
  { title: 'share', align: 'right', cell: ({ traffic_share: share }) => sayShare(share) },
  { title: 'next at', align: 'right', optional: 3, cell: ({ next_stage_at: next }) => (next === null ? null : sayCount(next)) },
];

function addShow(operators: Command): void {
  const command = operators
    .command('show')
    .description('show an operator: what it has, how much traffic it is given, and what it has earned in thirty days')
    .argument('<id>', 'the operator')
    .action(async (id: string, options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await openSupply(options).get<{ data: OperatorWithEarnings }>(`/operators/${encodeURIComponent(id)}`);
      output.answer(answer, ({ data }) => showOperator(data, output));
    });
  withExamples(withRouter(command), 'operators show alice', 'operators show alice --json');
}

function showOperator(operator: OperatorWithEarnings, output: Output): string {
  const { id, name, team, endpoints, nodes, clean_completions: clean, traffic_share: share, next_stage_at: next, earned } = operator;
  const stage = next === null ? 'all that it earns' : `${sayShare(share)} of the traffic until ${sayCount(next)} clean completions`;
  const lines = [
    `${id}${name === id ? '' : ` (${name})`}${team === null ? '' : `, for team ${team}`}`,
    `endpoints  ${sayCount(endpoints)}, nodes ${sayCount(nodes)}`,
    `completed  ${sayCount(clean)} requests of clients`,
    `share      ${stage}`,
    `earned     ${sayUsd(earned.usd)} since ${earned.since.slice(0, 10)}, ${sayCount(earned.requests)} requests and the router’s own checks`,
  ];
  const table = earned.endpoints.length === 0 ? '' : `\n\n${formatTable(earned.endpoints, EARNINGS, output)}`;
  return lines.map((line) => toPlainText(line)).join('\n') + table;
}

const EARNINGS: Column<OperatorWithEarnings['earned']['endpoints'][number]>[] = [
  { title: 'endpoint', shrinkTo: 12, cell: ({ id }) => id },
  { title: 'requests', align: 'right', cell: ({ requests }) => sayCount(requests) },
  { title: 'prompt', align: 'right', optional: 1, cell: ({ prompt_tokens: tokens }) => sayCount(tokens) },
  { title: 'completion', align: 'right', optional: 1, cell: ({ completion_tokens: tokens }) => sayCount(tokens) },
  { title: 'earned', align: 'right', cell: ({ usd }) => sayUsd(usd) },
];

function addKeys(operators: Command): void {
  const command = operators
    .command('keys')
    .description('make a further key of an operator, which is shown this once, or list those that it has')
    .argument('<id>', 'the operator')
    .option('-l, --list', 'list its keys instead', false)
    .option('-q, --quiet', 'print the key and nothing else', false)
    .action(async (id: string, { list, quiet, ...options }: KeysOptions, self: Command) => {
      if (list) {
        const output = outputOf(self);
        const answer = await readKeys(id, options);
        return output.answer(answer, ({ data }) => (data.length === 0 ? 'no keys' : formatTable(data, KEY_COLUMNS, output)));
      }
      const made = await openSupply(options).post<Created>(`/operators/${encodeURIComponent(id)}/keys`, {});
      sayKey(made, quiet, outputOf(self), `a further key of operator ${made.data.id}, shown this once:`);
    });
  withExamples(withRouter(command), 'operators keys alice', 'operators keys alice --list', 'operators keys alice --quiet > alice-key.txt');
}

interface KeysOptions extends RouterOptions {
  list: boolean;
  quiet: boolean;
}

const KEY_COLUMNS: Column<Key>[] = [
  { title: 'key', cell: ({ label }) => label },
  { title: 'hash', cell: ({ hash }) => hash.slice(0, 12) },
  { title: 'made', cell: ({ created_at: at }) => at.slice(0, 10) },
];

function readKeys(id: string, options: RouterOptions): Promise<{ data: Key[] }> {
  return openSupply(options).get<{ data: Key[] }>(`/operators/${encodeURIComponent(id)}/keys`);
}

function addRevoke(operators: Command): void {
  const command = operators
    .command('revoke')
    .description('revoke one key of an operator; the others stay')
    .argument('<id>', 'the operator')
    .argument('<hash>', 'how its hash begins, as `operators keys <id> --list` shows it')
    .action(async (id: string, start: string, options: RouterOptions, self: Command) => {
      const matches = (await readKeys(id, options)).data.filter(({ hash }) => hash.startsWith(start));
      const [key] = matches;
      if (key === undefined) throw new CommandError(`operator ${id} has no key whose hash begins with ${start}`);
      if (matches.length > 1) throw new CommandError(`${matches.length} keys of operator ${id} have a hash that begins with ${start}`);
      const answer = await openSupply(options).delete<object>(`/operators/${encodeURIComponent(id)}/keys/${key.hash}`);
      outputOf(self).answer(answer, () => toPlainText(`revoked key ${key.label} of operator ${id}`));
    });
  withExamples(withRouter(command), 'operators revoke alice 3f9c1a7e');
}

function addDelete(operators: Command): void {
  const command = operators
    .command('delete')
    .description('remove an operator: its keys end, its endpoints retire, its nodes leave')
    .argument('<id>', 'the operator')
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .action(async (id: string, { yes, ...options }: RouterOptions & { yes: boolean }, self: Command) => {
      const output = outputOf(self);
      await confirmLoss(`Remove operator ${toPlainText(id)} with all that it has?`, { yes, isJson: output.isJson });
      const answer = await openManagement(options).delete<object>(`/operators/${encodeURIComponent(id)}`);
      output.answer(answer, () => toPlainText(`removed operator ${id}`));
    });
  withExamples(withRouter(command), 'operators delete alice', 'operators delete alice --yes');
}
