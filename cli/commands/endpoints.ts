/** `headrace endpoints`: endpoints that operators register at addresses of their own. */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import type { probedEndpoint, RegisteredEndpointBody } from '#schema/answers/operators';
import type { RegistrationState } from '#schema/registration';
import { confirmLoss } from '../ask.ts';
import { UsageError } from '../command-error.ts';
import { parsePrice, type PriceWish } from '../node/join-options.ts';
import { parseCount, parseList, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf, type Style } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayMs, sayShare } from '../quantities.ts';
import { readSecret } from '../read-secret.ts';
import { openSupply } from '../router/client.ts';
import { readAll } from '../router/pages.ts';
import { showEndpoint } from '../show/endpoint.ts';
import { formatTable, type Column } from '../table.ts';

type Endpoint = RegisteredEndpointBody;

/** What may be said of an endpoint on the command line. */
interface WishOptions extends RouterOptions {
  model?: string;
  upstreamModel?: string;
  upstream?: string;
  keyEnv?: string;
  price?: PriceWish;
  context?: number;
  maxConcurrency?: number;
  engine?: string;
  weights?: string;
  kvCache?: string;
  capabilities?: string[];
  jurisdiction?: string[];
}

/** Adds the commands for registered endpoints. */
export function addEndpointsCommand(program: Command): void {
  const endpoints = program
    .command('endpoints')
    .description('register endpoints at addresses of their own, prove and probe them, and see how they stand');
  addAdd(endpoints);
  addList(endpoints);
  addShow(endpoints);
  addChange(endpoints);
  addMove(endpoints, 'drain', 'draining', 'give an endpoint nothing new; what is under way is finished');
  addMove(endpoints, 'resume', 'active', 'return a drained endpoint to service, by way of a probe');
  addVouch(endpoints);
  addRetire(endpoints);
  addProbe(endpoints);
  withExamples(
    endpoints,
    'endpoints add rack-1 --upstream https://gpu.example.com/v1 --model qwen/qwen3-8b --context 32768 --price 0.02/0.06',
    'endpoints probe rack-1',
    'endpoints list --in probation',
  );
}

function withWish(command: Command): Command {
  return command
    .option('--model <id>', 'what callers name')
    .option('--upstream-model <name>', 'what the endpoint calls the model (default: the same)')
    .option('--upstream <address>', 'where its API begins, such as https://gpu.example.com/v1')
    .option('--key-env <name>', 'variable of the environment that holds the key that it asks for')
    .option('--price <prompt/completion>', 'USD per million tokens, such as 0.02/0.06', parsePrice)
    .option('--context <tokens>', 'prompt and answer together', parseCount)
    .option('--max-concurrency <n>', 'requests at once (default: learned)', parseCount)
    .option('--engine <name>', 'such as vllm')
    .option('--weights <format>', 'such as fp8')
    .option('--kv-cache <codec>', 'such as turboquant_4bit_nc')
    .option('--capabilities <list>', 'such as tools,json_schema', parseList)
    .option('--jurisdiction <countries>', 'where prompts are processed, such as DE', parseList);
}

async function toWish(options: WishOptions): Promise<Record<string, unknown>> {
  const { model, upstreamModel, upstream, keyEnv, price, context, maxConcurrency, engine, weights, kvCache, capabilities, jurisdiction } =
    options;
  const wish = {
    model,
    upstream_model: upstreamModel,
    url: upstream,
    key: keyEnv === undefined ? undefined : await readSecret(keyEnv),
    price,
    context,
    max_concurrency: maxConcurrency,
    engine,
    weights,
    kv_cache: kvCache,
    capabilities,
    jurisdiction,
  };
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

function addAdd(endpoints: Command): void {
  const command = withWish(endpoints.command('add').description('register an endpoint; says what to serve to prove that it is yours'))
    .argument('<id>', 'name that stands in headers and receipts')
    .option('--operator <id>', 'operator that it is for (default: the key’s own, or the only one)')
    .action(async (id: string, options: WishOptions & { operator?: string }, self: Command) => {
      const output = outputOf(self);
      const { operator, model, upstream } = options;
      if (model === undefined || upstream === undefined) throw new UsageError('--model and --upstream are required');
      const wish = { id, ...(operator !== undefined && { operator }), ...(await toWish(options)) };
      const answer = await openSupply(options).post<{ data: Endpoint }>('/endpoints', wish);
      output.answer(answer, ({ data }) => showEndpoint(data, output.paint));
    });
  withExamples(
    withRouter(command),
    'endpoints add rack-1 --upstream https://gpu.example.com/v1 --model qwen/qwen3-8b --context 32768 --price 0.02/0.06',
    'endpoints add rack-2 --operator alice --upstream https://gpu.example.com/v1 --model qwen/qwen3-8b --context 32768 --key-env RACK_KEY',
  );
}

interface ListOptions extends RouterOptions {
  operator?: string;
  in?: string;
  node?: string;
}

function addList(endpoints: Command): void {
  const command = endpoints
    .command('list')
    .description('list registered endpoints')
    .option('--operator <id>', 'only this operator’s')
    .addOption(new Option('--in <state>', 'only those in this state').choices(STATES))
    .option('--node <id>', 'only those of this node')
    .action(async ({ operator, in: state, node, ...options }: ListOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await readAll<Endpoint>(openSupply(options), '/endpoints', { operator, state, node });
      output.answer(answer, ({ data }) => (data.length === 0 ? 'no registered endpoints' : formatTable(data, COLUMNS, output)));
    });
  withExamples(withRouter(command), 'endpoints list', 'endpoints list --operator alice --in probation --json');
}

/** As the schema has them; contracts are too heavy to load for help. */
const STATES: readonly RegistrationState[] = ['pending', 'probing', 'probation', 'active', 'draining', 'retired', 'quarantined'];

const STYLES: Readonly<Record<string, Style>> = {
  active: 'green',
  probation: 'green',
  quarantined: 'red',
  retired: 'dim',
  pending: 'yellow',
};

const COLUMNS: Column<Endpoint>[] = [
  { title: 'endpoint', shrinkTo: 12, cell: ({ id }) => id },
  { title: 'operator', optional: 2, shrinkTo: 8, cell: ({ operator }) => operator },
  { title: 'model', optional: 1, shrinkTo: 12, cell: ({ model }) => model },
  { title: 'state', cell: ({ state }) => ({ text: state, style: STYLES[state] ?? 'cyan' }) },
  { title: 'share', align: 'right', cell: ({ traffic_share: share }) => sayShare(share) },
  { title: 'price', optional: 3, cell: ({ price }) => price && `$${price.prompt}/$${price.completion}` },
  { title: 'first token', align: 'right', optional: 4, cell: ({ expected }) => sayMs(expected?.ttft_ms) },
  { title: 'reason', optional: 5, shrinkTo: 20, cell: ({ reason }) => reason },
];

function addShow(endpoints: Command): void {
  const command = endpoints
    .command('show')
    .description('show an endpoint: what it declares, what probes have seen, what has happened')
    .argument('<id>', 'the endpoint')
    .action(async (id: string, options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await openSupply(options).get<{ data: Endpoint }>(pathOf(id));
      output.answer(answer, ({ data }) => showEndpoint(data, output.paint));
    });
  withExamples(withRouter(command), 'endpoints show rack-1', 'endpoints show rack-1 --json');
}

function addChange(endpoints: Command): void {
  const command = withWish(
    endpoints.command('change').description('change what is named; what makes another endpoint of it is probed again'),
  )
    .argument('<id>', 'the endpoint')
    .action(async (id: string, options: WishOptions, self: Command) => {
      const output = outputOf(self);
      const wish = await toWish(options);
      if (Object.keys(wish).length === 0) throw new UsageError('name what to change, such as --price 0.03/0.09');
      const answer = await openSupply(options).patch<{ data: Endpoint }>(pathOf(id), wish);
      output.answer(answer, ({ data }) => showEndpoint(data, output.paint));
    });
  withExamples(
    withRouter(command),
    'endpoints change rack-1 --price 0.03/0.09',
    'endpoints change rack-1 --upstream https://new.example.com/v1',
  );
}

function addMove(endpoints: Command, verb: string, state: string, what: string): void {
  const command = endpoints
    .command(verb)
    .description(what)
    .argument('<id>', 'the endpoint')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { reason, ...options }: RouterOptions & { reason?: string }, self: Command) => {
      const wish = { state, ...(reason !== undefined && { reason }) };
      const answer = await openSupply(options).patch<{ data: Endpoint }>(pathOf(id), wish);
      outputOf(self).answer(answer, ({ data }) => toPlainText(`${data.id} is ${data.state}`));
    });
  withExamples(withRouter(command), `endpoints ${verb} rack-1`, `endpoints ${verb} rack-1 --reason "new fans"`);
}

function addVouch(endpoints: Command): void {
  const command = endpoints
    .command('vouch')
    .description(
      'let an endpoint serve without probation, and out of quarantine, on a manager’s word; it stays on record who gave it, and when',
    )
    .argument('<id>', 'the endpoint')
    .option('--withdraw', 'take the word back: it earns its way like any other', false)
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { withdraw, reason, ...options }: RouterOptions & { withdraw: boolean; reason?: string }, self: Command) => {
      const output = outputOf(self);
      const wish = { vouched: !withdraw, ...(reason !== undefined && { reason }) };
      const answer = await openSupply(options).patch<{ data: Endpoint }>(pathOf(id), wish);
      output.answer(answer, ({ data }) => showEndpoint(data, output.paint));
    });
  withExamples(withRouter(command), 'endpoints vouch rack-1 --reason "our own machine"', 'endpoints vouch rack-1 --withdraw');
}

function addRetire(endpoints: Command): void {
  const command = endpoints
    .command('retire')
    .description('take an endpoint out for good; its history and receipts stay')
    .argument('<id>', 'the endpoint')
    .option('-y, --yes', 'do not ask; needed where there is no terminal', false)
    .action(async (id: string, { yes, ...options }: RouterOptions & { yes: boolean }, self: Command) => {
      const output = outputOf(self);
      await confirmLoss(`Retire endpoint ${toPlainText(id)} for good?`, { yes, isJson: output.isJson });
      output.answer(await openSupply(options).delete<{ data: Endpoint }>(pathOf(id)), () => toPlainText(`${id} has retired`));
    });
  withExamples(withRouter(command), 'endpoints retire rack-1', 'endpoints retire rack-1 --yes');
}

function addProbe(endpoints: Command): void {
  const command = endpoints
    .command('probe')
    .description('look at an endpoint now: its proof, then what it serves and how fast')
    .argument('<id>', 'the endpoint')
    .action(async (id: string, options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await openSupply(options).post<z.infer<typeof probedEndpoint>>(`${pathOf(id)}/probe`, {});
      output.answer(answer, ({ data }) => showEndpoint(data, output.paint));
    });
  withExamples(withRouter(command), 'endpoints probe rack-1', 'endpoints probe rack-1 --json');
}

function pathOf(id: string): string {
  return `/endpoints/${encodeURIComponent(id)}`;
}
