/** `headrace receipts`: the story of one request. */
import type { Command } from 'commander';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { openManagement } from '../router/client.ts';
import { showReceipt, type Generation } from '../show/receipt.ts';

/** Adds the command that shows a receipt. */
export function addReceiptsCommand(program: Command): void {
  const receipts = program.command('receipts').description('read the receipt of a request');
  const command = receipts
    .command('show')
    .description('tell the story of one request: what was asked, the plan, every attempt, the money')
    .argument('<id>', 'generation id, from x-generation-id or the id of an answer')
    .action(async (id: string, options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const client = openManagement(options);
      const answer = await client.get<{ data: Generation }>(`/receipts/${encodeURIComponent(id)}`);
      output.answer(answer, ({ data }) => showReceipt(data, output));
    });
  withExamples(withRouter(command), 'receipts show gen-01JQ8YQ5', 'receipts show gen-01JQ8YQ5 --json');
  withExamples(receipts, 'receipts show gen-01JQ8YQ5', 'receipts show gen-01JQ8YQ5 --json');
}
