/** `headrace credits`: prepaid balances. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { addedCredit } from '#schema/answers/teams';
import type { credits as creditSums } from '#schema/answers/usage-sums';
import { parseUsd, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { sayUsd } from '../quantities.ts';
import { openManagement } from '../router/client.ts';

interface AddOptions extends RouterOptions {
  team: string;
  usd: number;
  id: string;
  note?: string;
}

/** Adds the commands that show and add credits. */
export function addCreditsCommand(program: Command): void {
  const credits = program.command('credits').description('show prepaid credits, and add to them');
  withExamples(credits, 'credits', 'credits add --team research --usd 20 --id inv-7');

  const show = credits
    .command('show', { isDefault: true })
    .description('show what all teams have paid ahead; `teams ID` shows it of one')
    .action(async (options: RouterOptions, self: Command) => {
      const client = openManagement(options);
      const answer = await client.get<z.infer<typeof creditSums>>('/credits');
      outputOf(self).answer(answer, ({ data: { total_credits: total, total_usage: used } }) =>
        [`credits  ${sayUsd(total)}`, `charged  ${sayUsd(used)}`].join('\n'),
      );
    });
  withExamples(withRouter(show), 'credits', 'credits show --json');

  const add = credits
    .command('add')
    .description('add credit to a team, once for each id')
    .requiredOption('--team <id>', 'team that gets it')
    .requiredOption('--usd <amount>', 'amount in USD', parseUsd)
    .requiredOption('--id <id>', 'your own name for the payment: the same id never adds twice')
    .option('--note <text>', 'for the books')
    .action(async ({ team, usd, id, note, ...options }: AddOptions, self: Command) => {
      const body = { team, amount_usd: usd, id, ...(note !== undefined && { note }) };
      const answer = await openManagement(options).post<z.infer<typeof addedCredit>>('/credits', body);
      outputOf(self).answer(answer, ({ data: { added, credits } }) => {
        const left = credits === null ? '' : `; ${sayUsd(credits.remaining_usd)} left`;
        return `${added ? `added ${sayUsd(usd)} to` : `${id} was added before: nothing new for`} team ${team}${left}`;
      });
    });
  withExamples(
    withRouter(add),
    'credits add --team research --usd 20 --id inv-7',
    'credits add --team web --usd 100 --id 2027-01 --note "January"',
  );
}
