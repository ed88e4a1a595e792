/** `headrace dev`: its flags. What it does stands in `cli/dev/`. */
import { InvalidArgumentError, type Command } from 'commander';
import type { DevOptions } from '../dev/dev.ts';
import { DEFAULT_STATE } from '../router/connection.ts';

const PORT = 8787;

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a number from 0 (any free port) to 65535.');
  return port;
}

function parseDirectory(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('expected a directory.');
  return text;
}

/** Adds the command that runs a router here. */
export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('run the router here with local D1 and simulated supply (this is npm start)')
    .option('--config <file>', 'manifest to apply (default: examples/local.yaml)')
    .option('--port <number>', 'port on loopback; 0 takes any free one', parsePort, PORT)
    .option('--state <dir>', 'where local D1 lives', parseDirectory, DEFAULT_STATE)
    .option('--no-devnet', 'do not start the simulated supply')
    .option('--real-node', 'run llama.cpp with a tiny model beside it (installs 85 MB the first time)')
    .addHelpText(
      'after',
      `
Examples:
  $ npm start
  $ npm start -- --port 9000 --state /tmp/headrace
  $ npm start -- --config headrace.yaml --no-devnet
  $ npm start -- --real-node`,
    )
    .action(async (options: DevOptions) => {
      const { dev } = await import('../dev/dev.ts');
      await dev(options);
    });
}
