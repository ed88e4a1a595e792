/** Flags that many commands share, and how their values are read. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseInstant } from './duration.ts';
import type { ConnectionOptions } from './router/connection.ts';

/** What every command that asks a router has beside its own flags. */
export interface RouterOptions extends ConnectionOptions {
  json: boolean;
}

/** Adds `--json`, `--url`, `--key` and `--state`. */
export function withRouter(command: Command): Command {
  return command
    .option('--json', 'print one JSON object', false)
    .option('--url <address>', 'router (default: HEADRACE_URL, else http://localhost:8787)')
    .option('--key <key>', 'key (default: HEADRACE_KEY, else on loopback the key that npm start keeps)')
    .option('--state <dir>', 'state directory of the local router (default: .wrangler/state)');
}

/** Makes `--since`, with what holds where it is not given, such as `7d`. */
export function sinceOption(fallback: string): Option {
  return new Option('--since <when>', '7d, 24h, a date or an instant (UTC)')
    .argParser(parseInstant)
    .default(parseInstant(fallback), fallback);
}

/** Adds examples to the help of a command. */
export function withExamples(command: Command, ...examples: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ npx headrace ${example}`).join('\n')}`);
}

/** Reads a whole number from 1. Throws InvalidArgumentError. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,15}$/.test(text) || count < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return count;
}

/** Reads an amount in USD above 0, with or without the sign. Throws InvalidArgumentError. */
export function parseUsd(text: string): number {
  const usd = Number(text.replace(/^\$/, ''));
  if (!/^\$?\d{1,7}(\.\d{1,9})?$/.test(text) || usd <= 0)
    throw new InvalidArgumentError('expected an amount in USD above 0, such as 20 or 0.05.');
  return usd;
}

/** Reads a list separated by commas. Throws InvalidArgumentError for an empty one. */
export function parseList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('expected values separated by commas.');
  return items;
}
