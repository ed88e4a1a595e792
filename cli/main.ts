/** The `headrace` command. Each subcommand has its own file; this one knows flags, exit codes and how errors look. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { CheckOptions } from './check.ts';
import { CommandError } from './command-error.ts';
import type { DevOptions } from './dev/dev.ts';
import { readVersion } from './version.ts';

/** Where wrangler keeps local D1, and the port that it serves on. */
const STATE_DIR = '.wrangler/state';
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

/** Builds the command line. Errors are thrown, so that `main` alone decides about exit codes. A command is loaded when it is called. */
function createProgram(): Command {
  const program = new Command('headrace')
    .description('Inference router: subnet miners, your own GPU nodes and centralized APIs behind one API.')
    .version(readVersion(), '-V, --version')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });

  program
    .command('dev')
    .description('run the router here with local D1 and simulated supply (this is npm start)')
    .option('--config <file>', 'manifest to apply (default: examples/local.yaml)')
    .option('--port <number>', 'port on loopback; 0 takes any free one', parsePort, PORT)
    .option('--state <dir>', 'where local D1 lives', parseDirectory, STATE_DIR)
    .option('--no-devnet', 'do not start the simulated supply')
    .addHelpText(
      'after',
      `
Examples:
  $ npm start
  $ npm start -- --port 9000 --state /tmp/headrace
  $ npm start -- --config headrace.yaml --no-devnet`,
    )
    .action(async (options: DevOptions) => {
      const { dev } = await import('./dev/dev.ts');
      await dev(options);
    });

  program
    .command('check')
    .description('check a manifest; changes nothing')
    .argument('<file>', 'manifest, such as headrace.yaml')
    .option('--local', 'accept what only npm start accepts: literal keys, loopback addresses', false)
    .option('--json', 'print one JSON object: ok, file, errors', false)
    .addHelpText(
      'after',
      `
Examples:
  $ npx headrace check headrace.yaml
  $ npx headrace check examples/local.yaml --local --json`,
    )
    .action(async (file: string, options: CheckOptions) => {
      const { check } = await import('./check.ts');
      const { ok, output } = check(file, options);
      console.log(output);
      if (!ok) process.exitCode = 1;
    });

  program
    .command('deploy')
    .description('deploy to Cloudflare: creates the D1 database if it is missing, migrates, deploys')
    .option('--dry-run', 'build only, into dist/', false)
    .action(async (options: { dryRun: boolean }) => {
      const { deploy } = await import('./deploy.ts');
      await deploy(options);
    });

  for (const command of program.commands) command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

/** Runs the command line and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv.length === 0) throw new CommandError('name a command (see npx headrace --help)');
    await createProgram().parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      console.error(`headrace: ${error.message.replace(/^error: /, '').replaceAll('\n', ' ')} (see npx headrace --help)`);
      return 1;
    }
    if (!(error instanceof CommandError)) throw error;
    console.error(`headrace: ${error.message}`);
    for (const line of error.details) console.error(`  ${line}`);
    return 1;
  }
}

// Exits for good: an open handle left by a library must not keep a finished command alive.
process.exit(await main(process.argv.slice(2)));
