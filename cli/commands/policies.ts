/** `headrace policies`: the stored policies. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { policyList } from '#schema/answers/manifest';
import { parseCount, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayInstant } from '../quantities.ts';
import { openManagement } from '../router/client.ts';
import { formatTable, type Column } from '../table.ts';

type Policies = z.infer<typeof policyList>;
type Policy = Policies['data'][number];

interface PoliciesOptions extends RouterOptions {
  at?: number;
}

/** Adds the command that shows policies. */
export function addPoliciesCommand(program: Command): void {
  const command = program
    .command('policies')
    .description('list stored policies, or show one')
    .argument('[name]', 'one policy, in full')
    .option('--at <version>', 'as it was in this version', parseCount)
    .action(async (name: string | undefined, options: PoliciesOptions, self: Command) => {
      const output = outputOf(self);
      const client = openManagement(options);
      if (name !== undefined) {
        const { stringify } = await import('yaml');
        const answer = await client.get<{ data: Policy }>(`/policies/${encodeURIComponent(name)}`, { version: options.at });
        return output.answer(
          answer,
          ({ data }) => `${output.paint('dim', `# version ${data.version}`)}\n${stringify({ [data.name]: data.document }).trimEnd()}`,
        );
      }
      const answer = await client.get<Policies>('/policies');
      output.answer(answer, ({ data, default: fallback }) =>
        data.length === 0 ? 'no policies' : formatTable(data, columns(fallback), output),
      );
    });
  withExamples(withRouter(command), 'policies', 'policies hipaa-eu', 'policies hipaa-eu --at 3 --json');
}

function columns(fallback: string | null): Column<Policy>[] {
  return [
    { title: 'policy', shrinkTo: 12, cell: ({ name }) => (name === fallback ? { text: `${name} (default)`, style: 'bold' } : name) },
    { title: 'version', align: 'right', cell: ({ version }) => String(version) },
    { title: 'since', optional: 2, cell: ({ updated_at: since }) => sayInstant(since) },
    { title: 'states', optional: 1, shrinkTo: 20, cell: ({ document }) => toPlainText(Object.keys(document).join(', ')) },
  ];
}
