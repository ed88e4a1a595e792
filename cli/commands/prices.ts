/** `headrace prices`: where prices come from, and which of them wait for a person. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { decidedPrice, heldPriceList, priceFeedList, priceFeedReading } from '#schema/answers/prices';
import { CommandError } from '../command-error.ts';
import { withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayInstant, sayNumberOf } from '../quantities.ts';
import { openManagement, type Client } from '../router/client.ts';
import { formatTable, type Cell, type Column } from '../table.ts';

type Feed = z.infer<typeof priceFeedList>['data'][number];
type Held = z.infer<typeof heldPriceList>['data'][number];
type Reading = z.infer<typeof priceFeedReading>['data'];
type Price = Held['stated'];

/** Lines of one kind in a report; `--json` has all of them. */
const LINES_MAX = 20;

interface ReadOptions extends RouterOptions {
  acceptShorter: boolean;
}

/** Adds the commands for price feeds and held prices. */
export function addPricesCommand(program: Command): void {
  const prices = program.command('prices').description('where prices come from, and those that wait for a decision');
  addFeeds(prices);
  addRead(prices);
  addHeld(prices);
  addDecision(prices, 'accept', 'charge a held price from now on');
  addDecision(prices, 'reject', 'keep what is charged, and ask no more while the same price is repeated');
  withExamples(prices, 'prices feeds', 'prices read together', 'prices held', 'prices accept together:openai/gpt-oss-120b');
}

function addFeeds(prices: Command): void {
  const command = prices
    .command('feeds')
    .description('list feeds and how reading them went')
    .action(async (options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await openManagement(options).get<{ data: Feed[] }>('/prices/feeds');
      output.answer(answer, ({ data }) => (data.length === 0 ? 'no price feeds' : formatTable(data, FEED_COLUMNS, output)));
    });
  withExamples(withRouter(command), 'prices feeds', 'prices feeds --json');
}

const FEED_COLUMNS: Column<Feed>[] = [
  { title: 'feed', cell: ({ id }) => id },
  { title: 'of', optional: 3, cell: ({ source }) => source },
  { title: 'state', cell: sayState },
  { title: 'prices from', cell: ({ good_at: good }) => sayInstant(good) },
  { title: 'models', align: 'right', cell: ({ models }) => String(models) },
  { title: 'next', optional: 2, cell: ({ next_read_at: next }) => sayInstant(next) },
  { title: 'why', optional: 1, shrinkTo: 20, cell: ({ error }) => error },
];

function sayState({ state, enabled }: Feed): Cell {
  if (state === 'failing') return { text: 'failing', style: 'red' };
  if (!enabled) return { text: 'off', style: 'dim' };
  return state === 'good' ? { text: 'good', style: 'green' } : 'not read yet';
}

function addRead(prices: Command): void {
  const command = prices
    .command('read')
    .description('read a feed now and say what it changed')
    .argument('<id>', 'feed, as `prices feeds` lists it')
    .option('--accept-shorter', 'believe a list that has become less than half as long', false)
    .action(async (id: string, { acceptShorter, ...options }: ReadOptions, self: Command) => {
      const path = `/prices/feeds/${encodeURIComponent(id)}/read`;
      const answer = await openManagement(options).post<{ data: Reading }>(path, {}, { accept_shorter: acceptShorter || undefined });
      outputOf(self).answer(answer, ({ data }) => sayReading(data));
    });
  withExamples(withRouter(command), 'prices read together', 'prices read acme --accept-shorter --json');
}

function sayReading({ error, models, changed, held, added, dropped, unknown, unpriced, problems }: Reading): string {
  if (error !== null) return toPlainText(`nothing changed: ${error}`);
  return [
    `${sayNumberOf(models, 'model')} listed; ${sayNumberOf(changed.length, 'price')} changed, ${held.length} held`,
    ...few(changed.map(({ endpoint, from, to }) => `  ${endpoint}  ${sayPrice(from)} → ${sayPrice(to)}`)),
    ...few(held.map(({ endpoint, reason }) => `  held: ${endpoint}: ${reason}`)),
    ...(added.length === 0 ? [] : [`${sayNumberOf(added.length, 'endpoint')} added`, ...few(added.map((id) => `  ${id}`))]),
    ...(dropped.length === 0 ? [] : [`${sayNumberOf(dropped.length, 'endpoint')} dropped`, ...few(dropped.map((id) => `  ${id}`))]),
    ...(unknown.count === 0 ? [] : [`${sayNumberOf(unknown.count, 'model')} that no endpoint here calls`]),
    ...(unpriced === 0 ? [] : [`${sayNumberOf(unpriced, 'model')} without a price in the list`]),
    ...few(problems.map((problem) => `  not believed: ${problem}`)),
  ]
    .map(toPlainText)
    .join('\n');
}

function few(lines: readonly string[]): string[] {
  return lines.length <= LINES_MAX ? [...lines] : [...lines.slice(0, LINES_MAX), `  and ${lines.length - LINES_MAX} more (--json)`];
}

function addHeld(prices: Command): void {
  const command = prices
    .command('held')
    .description('list prices that moved too far to be believed unseen')
    .action(async (options: RouterOptions, self: Command) => {
      const output = outputOf(self);
      const answer = await readHeld(openManagement(options));
      output.answer(answer, ({ data }) => (data.length === 0 ? 'no price waits' : formatTable(data, HELD_COLUMNS, output)));
    });
  withExamples(withRouter(command), 'prices held', 'prices held --json');
}

const HELD_COLUMNS: Column<Held>[] = [
  { title: 'endpoint', shrinkTo: 20, cell: ({ endpoint }) => endpoint },
  { title: 'by', optional: 2, cell: ({ feed, operator }) => feed ?? `operator ${operator}` },
  { title: 'charged', cell: ({ current }) => sayPrice(current) },
  { title: 'stated', cell: ({ stated }) => sayPrice(stated) },
  { title: 'since', optional: 3, cell: ({ seen_at: seen }) => sayInstant(seen) },
  { title: 'why', optional: 1, shrinkTo: 20, cell: ({ reason }) => reason },
];

function addDecision(prices: Command, decision: 'accept' | 'reject', description: string): void {
  const command = prices
    .command(decision)
    .description(description)
    .argument('<endpoint>', 'endpoint, as `prices held` lists it')
    .action(async (endpoint: string, options: RouterOptions, self: Command) => {
      const client = openManagement(options);
      const held = (await readHeld(client)).data.find((price) => price.endpoint === endpoint);
      if (held === undefined) throw new CommandError(`no price of ${toPlainText(endpoint)} waits (see headrace prices held)`);
      const body = { decision, seen_at: held.seen_at };
      const answer = await client.post<z.infer<typeof decidedPrice>>(`/prices/held/${encodeURIComponent(endpoint)}`, body);
      const said = decision === 'accept' ? `${sayPrice(held.stated)} from now on` : `${sayPrice(held.current)} stays`;
      outputOf(self).answer(answer, () => toPlainText(`${endpoint}: ${said}`));
    });
  const example = 'together:openai/gpt-oss-120b';
  withExamples(withRouter(command), `prices ${decision} ${example}`, `prices ${decision} ${example} --json`);
}

function readHeld(client: Client): Promise<{ data: Held[] }> {
  return client.get('/prices/held');
}

/** Writes prompt and completion in USD per million tokens. */
function sayPrice(price: Price | null): string {
  return price === null ? 'no price' : `${price.prompt}/${price.completion}`;
}
