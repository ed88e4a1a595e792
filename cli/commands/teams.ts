/** `headrace teams`: budgets, what is left of them, limits and credits. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { teamData } from '#schema/answers/teams';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Paint, type Style } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayInstant, sayLimits, sayUsd } from '../quantities.ts';
import { openManagement } from '../router/client.ts';
import { readPages } from '../router/pages.ts';
import { formatTable, type Column } from '../table.ts';

type Team = z.infer<typeof teamData>['data'];

/** Adds the command that shows teams. */
export function addTeamsCommand(program: Command): void {
  const command = program
    .command('teams')
    .description('show teams: budget, what is left of it, limits, credits, keys')
    .argument('[id]', 'one team, in full')
    .action(async (id: string | undefined, options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const client = openManagement(options);
      if (id !== undefined) {
        const answer = await client.get<{ data: Team }>(`/teams/${encodeURIComponent(id)}`);
        return output.answer(answer, ({ data }) => showTeam(data, output.paint));
      }
      const data = await readPages<Team>(client, '/teams');
      output.answer({ data }, () => (data.length === 0 ? 'no teams' : formatTable(data, TEAM_COLUMNS, output)));
    });
  withExamples(withRouter(command), 'teams', 'teams research --json');
}

const TEAM_COLUMNS: Column<Team>[] = [
  { title: 'team', shrinkTo: 12, cell: ({ id }) => id },
  { title: 'policy', optional: 2, shrinkTo: 8, cell: ({ policy }) => policy },
  { title: 'budget', cell: ({ budget }) => budget && sayBudget(budget) },
  { title: 'spent', align: 'right', cell: ({ budget }) => sayUsd(budget?.spent_usd) },
  { title: 'held', align: 'right', optional: 4, cell: ({ budget }) => sayUsd(budget?.held_usd) },
  { title: 'left', align: 'right', cell: ({ budget }) => budget && { text: sayUsd(budget.remaining_usd), style: styleOf(budget) } },
  { title: 'resets', optional: 5, cell: ({ budget }) => sayInstant(budget?.resets_at) },
  { title: 'credits left', align: 'right', optional: 1, cell: ({ credits }) => sayUsd(credits?.remaining_usd) },
  { title: 'keys', align: 'right', optional: 3, cell: ({ keys }) => String(keys) },
];

function sayBudget({ usd, per }: NonNullable<Team['budget']>): string {
  return per === 'total' ? `${sayUsd(usd)} in all` : `${sayUsd(usd)} a ${per}`;
}

/** Red when nothing is left, yellow below a tenth. */
function styleOf({ usd, remaining_usd: left }: NonNullable<Team['budget']>): Style {
  if (left <= 0) return 'red';
  return left < usd / 10 ? 'yellow' : 'green';
}

function showTeam(team: Team, paint: Paint): string {
  const { budget, limits, credits } = team;
  const lines: [string, string][] = [
    ['policy', team.policy ?? 'the default'],
    ['budget', budget === null ? 'none' : sayBudget(budget)],
    ...(budget === null
      ? []
      : ([
          ['  spent', sayUsd(budget.spent_usd)],
          ['  held', budget.held_usd === null ? 'not known now' : sayUsd(budget.held_usd)],
          ['  left', paint(styleOf(budget), sayUsd(budget.remaining_usd))],
          ['  resets', budget.resets_at === null ? 'never' : sayInstant(budget.resets_at)],
        ] satisfies [string, string][])),
    ['limits', sayLimits(limits) || 'none'],
    ['credits', credits === null ? 'none' : `${sayUsd(credits.remaining_usd)} of ${sayUsd(credits.total_usd)} left`],
    ['keys', String(team.keys)],
    ['as of', `${sayInstant(team.as_of)}${team.source === 'account' ? '' : ', as the database knows it'}`],
  ];
  return [paint('bold', toPlainText(team.id)), ...lines.map(([name, value]) => `${name.padEnd(10)}${value}`)].join('\n');
}
