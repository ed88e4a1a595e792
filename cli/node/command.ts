/** `headrace node`: GPU nodes that serve through this router, and what they can hold. */
import { Option, type Command } from 'commander';
import { parseCount, withExamples } from '../options.ts';
import { outputOf } from '../output.ts';
import { DEFAULT_URL } from '../router/connection.ts';
import { addCapacityCommand } from './capacity.ts';
import { parseJurisdiction, parseNodeName, parsePrices, parseSeconds, type JoinOptions } from './join-options.ts';
import type { ManageOptions } from './manage.ts';
import { parseModelWish } from './served-models.ts';

const DEFAULT_UPSTREAM = 'http://127.0.0.1:8000';
const DRAIN_TIMEOUT_S = 30;

/** Adds the commands of operators who run a node. What is heavy is imported when it runs. */
export function addNodeCommand(program: Command): void {
  const node = program.command('node').description('serve a GPU of yours through a router: join, status, drain, leave, capacity');
  addJoin(node);
  addStatus(node);
  addDrain(node);
  addLeave(node);
  addCapacityCommand(node);
  withExamples(
    node,
    'node join --router https://router.example.com --token hr-join-… --upstream http://127.0.0.1:8000 --price 0.02/0.06',
    'node status',
    'node drain',
  );
}

function addJoin(node: Command): void {
  const command = node
    .command('join')
    .description('look at the engine, measure it, join, and serve until Ctrl-C')
    .option('--token <token>', 'join token, needed the first time (default: HEADRACE_JOIN_TOKEN); afterwards the node has a key of its own')
    .option('--upstream <address>', 'the engine on this machine', DEFAULT_UPSTREAM)
    .option('--upstream-key <key>', 'key that the engine asks for (default: HEADRACE_UPSTREAM_KEY)')
    .option(
      '--model <served=upstream>',
      'a model to serve and what callers name it; given again for several (default: all in memory)',
      parseModelWish,
    )
    .option(
      '--price <prompt/completion>',
      'USD per million tokens, such as 0.02/0.06; for one of several models NAME=0.02/0.06, given again',
      parsePrices,
    )
    .option('--team <id>', 'serve this team alone')
    .option('--max-concurrency <n>', 'requests at once (default: what the engine says)', parseCount)
    .option('--jurisdiction <countries>', 'where prompts are processed, such as DE', parseJurisdiction)
    .option('--gpu <id>', 'the card, such as rtx-4090 or h100x8 (default: what nvidia-smi says)')
    .option('--kv-cache <codec>', 'codec of the KV cache where the engine does not tell it, such as q8_0/q4_0 (as `node capacity --kv`)')
    .option(
      '--kv-pool <tokens>',
      'tokens that the KV cache holds in all, where the engine does not tell it (llama-server: its -c)',
      parseCount,
    )
    .addOption(
      new Option('--benchmark <length>', 'how long to measure each model: not at all, up to 4 s, up to a minute')
        .choices(['none', 'short', 'full'])
        .default('short'),
    )
    .option('--drain-timeout <seconds>', 'how long Ctrl-C waits for requests under way', parseSeconds, DRAIN_TIMEOUT_S)
    .option('--once-checks', 'look and measure, show what would be joined, and end', false)
    .option('--json', 'print one JSON object for each event', false)
    .action(async (options: JoinOptions, self: Command) => {
      const { join } = await import('./join.ts');
      await join(options, outputOf(self));
    });
  withExamples(
    withKept(command, DEFAULT_URL),
    'node join --router https://router.example.com --token hr-join-… --price 0.02/0.06',
    'node join --router https://router.example.com',
    'node join --upstream http://127.0.0.1:11434 --model qwen/qwen3-8b=qwen3:8b --once-checks',
    'node join --model qwen/qwen3-8b --model my/lora=lora-1 --price 0.02/0.06 --price my/lora=0.05/0.1',
  );
}

function addStatus(node: Command): void {
  const command = node
    .command('status')
    .description('how a node of this machine stands: what it says itself, and what its router says')
    .option('-w, --watch', 'look again every two seconds, until Ctrl-C', false)
    .option('--json', 'print one JSON object', false)
    .action(async (options: ManageOptions & { watch: boolean }, self: Command) => {
      const { showNode } = await import('./manage.ts');
      await showNode(options, outputOf(self));
    });
  withExamples(withKept(command), 'node status', 'node status --watch', 'node status --name rig-4090 --json');
}

function addDrain(node: Command): void {
  const command = node
    .command('drain')
    .description('let a node finish what is under way and get nothing new')
    .option('--off', 'take it back', false)
    .option('--json', 'print one JSON object', false)
    .action(async (options: ManageOptions & { off: boolean }, self: Command) => {
      const { drainNode } = await import('./manage.ts');
      await drainNode(options, outputOf(self));
    });
  withExamples(withKept(command), 'node drain', 'node drain --off');
}

function addLeave(node: Command): void {
  const command = node
    .command('leave')
    .description('take a node out of the router for good and remove its key here')
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .option('--json', 'print one JSON object', false)
    .action(async (options: ManageOptions & { yes: boolean }, self: Command) => {
      const { leaveNode } = await import('./manage.ts');
      await leaveNode(options, outputOf(self));
    });
  withExamples(withKept(command), 'node leave --name rig-4090');
}

/** Adds the flags that say which router and which node. Without a default, the router is the one that nodes here have keys for. */
function withKept(command: Command, defaultRouter?: string): Command {
  const router = defaultRouter === undefined ? 'the router (default: the only one that nodes here have keys for)' : 'the router';
  return command
    .addOption(new Option('--router <address>', router).env('HEADRACE_URL').default(defaultRouter))
    .option('--name <name>', 'name of the node (default: that of the machine, or of the only node here)', parseNodeName)
    .option('--state-dir <dir>', 'where node keys are kept (default: ~/.headrace/nodes)')
    .option('--insecure', 'allow plain http to a router that is not on this machine', false);
}
