/** `headrace usage`: what was asked, and what it cost. */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import type { usageSums } from '#schema/answers/usage-sums';
import { UsageError } from '../command-error.ts';
import { toCsv } from '../csv.ts';
import { parseInstant } from '../duration.ts';
import { sinceOption, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Output } from '../output.ts';
import { sayCount, sayInstant, sayUsd } from '../quantities.ts';
import { openManagement } from '../router/client.ts';
import { formatTable, type Column } from '../table.ts';

const GROUPS = ['model', 'key', 'endpoint', 'provider', 'team', 'day'] as const;
type Group = (typeof GROUPS)[number];

interface UsageOptions extends RouterOptions {
  by: Group;
  since: string;
  until?: string;
  team?: string;
  csv: boolean;
}

type UsageAnswer = z.infer<typeof usageSums>;
type Sums = UsageAnswer['data'][number];

const COUNTED = [
  'requests',
  'errors',
  'prompt_tokens',
  'completion_tokens',
  'reasoning_tokens',
  'cached_tokens',
  'cost_usd',
  'byok_usd',
] as const;

/** Adds the command that sums up. */
export function addUsageCommand(program: Command): void {
  const command = program
    .command('usage')
    .description('sum up requests, tokens and cost')
    .addOption(new Option('--by <what>', 'what to sum up by').choices(GROUPS).default('model'))
    .addOption(sinceOption('7d'))
    .option('--until <when>', 'the same; default: now', parseInstant)
    .option('--team <id>', 'only this team')
    .option('--csv', 'print comma-separated values', false)
    .action(async (options: UsageOptions, self: Command) => {
      if (options.csv && options.json) throw new UsageError('--csv or --json, not both');
      const { by, since, until, team } = options;
      const answer = await openManagement(options).get<UsageAnswer>('/usage', { by, since, until, team });
      const output = outputOf(self);
      if (options.csv) output.raw(toUsageCsv(answer, by));
      else output.answer(answer, () => showUsage(answer, by, output));
    });
  withExamples(
    withRouter(command),
    'usage',
    'usage --by key --since 30d --team research',
    'usage --by day --since 2027-01-01 --csv > usage.csv',
  );
}

function toUsageCsv({ data }: UsageAnswer, by: Group): string {
  // An id says little of a key: its name and team stand beside it.
  const identity = by === 'key' ? (['key', 'name', 'team'] as const) : [by];
  const fields = [...identity, ...COUNTED];
  return toCsv(
    fields,
    data.map((sums) => fields.map((field) => sums[field])),
  );
}

function showUsage({ data, since, until }: UsageAnswer, by: Group, output: Output): string {
  const span = output.paint('dim', `${sayInstant(since)} to ${sayInstant(until)}`);
  if (data.length === 0) return `no requests  ${span}`;
  const rows = data.length === 1 ? data : [...data, totalOf(data, by)];
  return `${formatTable(rows, columnsBy(by), output)}\n${span}`;
}

function totalOf(data: readonly Sums[], by: Group): Sums {
  const sumOf = (name: (typeof COUNTED)[number]): number => data.reduce((sum, row) => sum + row[name], 0);
  return { ...(Object.fromEntries(COUNTED.map((name) => [name, sumOf(name)])) as Record<(typeof COUNTED)[number], number>), [by]: 'total' };
}

function columnsBy(by: Group): Column<Sums>[] {
  const count = (title: string, name: (typeof COUNTED)[number], optional?: number): Column<Sums> => ({
    title,
    align: 'right',
    ...(optional !== undefined && { optional }),
    cell: (sums) => sayCount(sums[name]),
  });
  return [
    { title: by, shrinkTo: 16, cell: (sums) => sums.name ?? sums[by] ?? '(none)' },
    ...(by === 'key' ? [{ title: 'team', shrinkTo: 8, cell: ({ team }: Sums) => team }] : []),
    count('requests', 'requests'),
    {
      title: 'errors',
      align: 'right',
      optional: 1,
      cell: ({ errors }) => (errors > 0 ? { text: sayCount(errors), style: 'yellow' } : ''),
    },
    count('prompt', 'prompt_tokens'),
    count('cached', 'cached_tokens', 3),
    count('answer', 'completion_tokens'),
    count('reasoning', 'reasoning_tokens', 4),
    { title: 'cost', align: 'right', cell: ({ cost_usd: cost }) => ({ text: sayUsd(cost), style: 'bold' }) },
    { title: 'own keys', align: 'right', optional: 2, cell: ({ byok_usd: usd }) => (usd > 0 ? sayUsd(usd) : '') },
  ];
}
