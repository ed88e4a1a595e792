/** `headrace nodes`: the machines that serve through this router, seen from the router's side. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { mintedJoinToken, nodeData } from '#schema/answers/operators';
import { confirmLoss } from '../ask.ts';
import { parseDurationS } from '../duration.ts';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayInstant } from '../quantities.ts';
import { openSupply } from '../router/client.ts';
import { readAll } from '../router/pages.ts';
import { formatTable, type Cell, type Column } from '../table.ts';

type Node = z.infer<typeof nodeData>['data'];

interface TokenOptions extends RouterOptions {
  operator?: string;
  node?: string;
  expires?: number;
  quiet: boolean;
}

/** Adds the commands for nodes as their router sees them. */
export function addNodesCommand(program: Command): void {
  const nodes = program.command('nodes').description('let nodes in with join tokens, and see how they stand');
  addToken(nodes);
  addList(nodes);
  addShow(nodes);
  addDrain(nodes);
  addRemove(nodes);
  withExamples(nodes, 'nodes token --operator alice', 'nodes list', 'nodes show rig-4090', 'nodes drain rig-4090');
}

function addToken(nodes: Command): void {
  const command = nodes
    .command('token')
    .description('make a token that lets one node in, once; it is shown this once')
    .option('--operator <id>', 'operator that the node is for (default: the key’s own, or the only one)')
    .option('--node <name>', 'the only name that the node may take')
    .option('--expires <time>', 'until when it can be used, 1m to 7d (default: 1h)', parseDurationS)
    .option('-q, --quiet', 'print the token and nothing else', false)
    .action(async ({ operator, node, expires, quiet, ...options }: TokenOptions, self: Command) => {
      const wish = {
        ...(operator !== undefined && { operator }),
        ...(node !== undefined && { node }),
        ...(expires !== undefined && { expires_s: expires }),
      };
      const output = outputOf(self);
      const made = await openSupply(options).post<z.infer<typeof mintedJoinToken>>('/nodes/tokens', wish);
      if (!quiet && !output.isJson)
        output.note(toPlainText(`join token for operator ${made.operator}, good for one node until ${sayInstant(made.expires_at)}:`));
      if (quiet) output.say(made.token);
      else output.answer(made, ({ token }) => token);
    });
  withExamples(withRouter(command), 'nodes token --operator alice', 'nodes token --node rig-4090 --expires 10m --quiet');
}

function addList(nodes: Command): void {
  const command = nodes
    .command('list')
    .description('list nodes')
    .action(async (options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await readAll<Node>(openSupply(options), '/nodes');
      output.answer(answer, ({ data }) => (data.length === 0 ? 'no nodes' : formatTable(data, COLUMNS, output)));
    });
  withExamples(withRouter(command), 'nodes list', 'nodes list --json');
}

const COLUMNS: Column<Node>[] = [
  { title: 'node', shrinkTo: 12, cell: ({ id }) => id },
  { title: 'operator', optional: 1, shrinkTo: 8, cell: ({ operator }) => operator },
  { title: 'link', cell: sayLink },
  { title: 'since', optional: 2, cell: ({ linked_at: at }) => sayInstant(at) },
  { title: 'engine', optional: 3, cell: ({ description: { engine } }) => engine.name },
  { title: 'gpu', optional: 4, shrinkTo: 10, cell: ({ description: { gpu } }) => gpu && `${gpu.count} × ${gpu.name}` },
  { title: 'endpoints', shrinkTo: 16, cell: ({ endpoints }) => endpoints.map(({ id, state }) => `${id} ${state}`).join(', ') },
];

function sayLink({ linked, draining }: Node): Cell {
  if (linked === null) return { text: 'silent', style: 'yellow' };
  if (!linked) return { text: 'not linked', style: 'red' };
  return draining ? { text: 'draining', style: 'yellow' } : { text: 'linked', style: 'green' };
}

function addShow(nodes: Command): void {
  const command = nodes
    .command('show')
    .description('show a node: its link, its load, what it says of itself')
    .argument('<id>', 'the node')
    .action(async (id: string, options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await openSupply(options).get<{ data: Node }>(pathOf(id));
      output.answer(answer, ({ data }) => `${formatTable([data], COLUMNS, output)}\n${toPlainText(sayLoad(data))}`);
    });
  withExamples(withRouter(command), 'nodes show rig-4090', 'nodes show rig-4090 --json');
}

function sayLoad({ load, streams }: Node): string {
  const requests = streams === null ? '' : `, ${sayCount(streams)} through the router`;
  if (load === null) return `its load is unknown${requests}`;
  const cache = load.kv_usage === null ? '' : `, KV cache ${Math.round(load.kv_usage * 100)} % full`;
  return `${sayCount(load.running)} running, ${sayCount(load.waiting)} waiting${cache}${requests}`;
}

function addDrain(nodes: Command): void {
  const command = nodes
    .command('drain')
    .description('send a node nothing new; what is under way is finished')
    .argument('<id>', 'the node')
    .option('--off', 'send it requests again', false)
    .action(async (id: string, { off, ...options }: RouterOptions & { off: boolean }, self: Command) => {
      const answer = await openSupply(options).post<{ data: Node }>(`${pathOf(id)}/drain`, { on: !off });
      outputOf(self).answer(answer, () =>
        toPlainText(
          off ? `${id} takes requests again as soon as the router has looked at it` : `${id} gets nothing new (take it back with --off)`,
        ),
      );
    });
  withExamples(withRouter(command), 'nodes drain rig-4090', 'nodes drain rig-4090 --off');
}

function addRemove(nodes: Command): void {
  const command = nodes
    .command('remove')
    .description('take a node out of the router; its endpoints retire')
    .argument('<id>', 'the node')
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .action(async (id: string, { yes, ...options }: RouterOptions & { yes: boolean }, self: Command) => {
      const output = outputOf(self);
      await confirmLoss(`Take node ${toPlainText(id)} out of the router?`, { yes, isJson: output.isJson });
      output.answer(await openSupply(options).delete<object>(pathOf(id)), () => toPlainText(`${id} has left`));
    });
  withExamples(withRouter(command), 'nodes remove rig-4090', 'nodes remove rig-4090 --yes');
}

function pathOf(id: string): string {
  return `/nodes/${encodeURIComponent(id)}`;
}
