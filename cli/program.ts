/** The command line as a whole: which commands there are, and how every one of them fails. */
import { Command, CommanderError, Help, type Option, type OutputConfiguration } from 'commander';
import { CommandError, EXIT } from './command-error.ts';
import { addApplyCommand } from './commands/apply.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addByokCommand } from './commands/byok.ts';
import { addCheckCommand } from './commands/check.ts';
import { addCreditsCommand } from './commands/credits.ts';
import { addDeployCommand } from './commands/deploy.ts';
import { addDevCommand } from './commands/dev.ts';
import { addEndpointsCommand } from './commands/endpoints.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addKeysCommand } from './commands/keys.ts';
import { addNodesCommand } from './commands/nodes.ts';
import { addOperatorsCommand } from './commands/operators.ts';
import { addPoliciesCommand } from './commands/policies.ts';
import { addPricesCommand } from './commands/prices.ts';
import { addReceiptsCommand } from './commands/receipts.ts';
import { addTeamsCommand } from './commands/teams.ts';
import { addUsageCommand } from './commands/usage.ts';
import { addCompletion } from './completion.ts';
import { addNodeCommand } from './node/command.ts';
import { toJsonText, toPlainText, toTerminalText } from './plain-text.ts';
import { addReplayCommand } from './replay/command.ts';
import { RefusedError } from './router/client.ts';
import { readVersion } from './version.ts';

const EXIT_CODES = `
Exit codes:
  0    fine
  1    refused or failed; one line on stderr says why
  2    the command line is wrong
  3    no router answers
  4    node join: the router wants this process no more; do not start it again by itself
  10   apply --dry-run --exit-code: there are changes
  130  interrupted with Ctrl-C

Colours: only on a terminal; --no-color or NO_COLOR=1 turns them off.
A command that asks a router finds it by --url or HEADRACE_URL, and its key by --key or HEADRACE_KEY.`;

/** Where the command line writes; by default to the process. */
export type Writers = Pick<OutputConfiguration, 'writeOut' | 'writeErr'>;

const PROCESS: Required<Writers> = {
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
};

/**
 * Builds the command line. Errors are thrown, so that `run` alone decides about exit codes. Commands import what is heavy (contracts, provider
 * cards, workerd) when they run: help and completion must be quick.
 */
function createProgram(writers: Writers = PROCESS): Command {
  const program = new Command('headrace')
    .description('Inference router: subnet miners, your own GPU nodes and centralized APIs behind one API.')
    .version(readVersion(), '-V, --version', 'the version')
    .option('--no-color', 'no colours')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ ...writers, outputError: () => {} })
    .configureHelp({ optionDescription: describeOption })
    .helpOption('-h, --help', 'this help')
    .addHelpText('after', EXIT_CODES);

  program.commandsGroup('Run:');
  addDevCommand(program);
  addDeployCommand(program);
  program.commandsGroup('Policy as config:');
  addCheckCommand(program);
  addApplyCommand(program);
  addPoliciesCommand(program);
  addExplainCommand(program);
  addReplayCommand(program);
  program.commandsGroup('Teams and money:');
  addTeamsCommand(program);
  addKeysCommand(program);
  addByokCommand(program);
  addCreditsCommand(program);
  addUsageCommand(program);
  addReceiptsCommand(program);
  addAuditCommand(program);
  program.commandsGroup('Operators:');
  addOperatorsCommand(program);
  addEndpointsCommand(program);
  addNodesCommand(program);
  addPricesCommand(program);
  addNodeCommand(program);
  program.commandsGroup('Help:').helpCommand('help [command]', 'help for a command');
  addCompletion(program);
  return program;
}

/** That a switch is off unless it is given needs no words. */
function describeOption(this: Help, option: Option): string {
  return Help.prototype.optionDescription.call(this, option).replace(/ \(default: false\)$/, '');
}

/** Runs one command line and returns its exit code. Never throws. */
export async function run(argv: readonly string[], writers: Writers = PROCESS): Promise<number> {
  const { writeOut = PROCESS.writeOut, writeErr = PROCESS.writeErr } = writers;
  const program = createProgram({ writeOut, writeErr });
  try {
    if (argv.length === 0) throw new CommanderError(EXIT.usage, 'headrace.noCommand', 'name a command');
    await program.parseAsync([...argv], { from: 'user' });
    return EXIT.fine;
  } catch (error) {
    const failure = error instanceof CommanderError ? fromCommander(error, nameCommand(program, argv)) : toFailure(error);
    if (failure.message === '') return failure.exitCode;
    writeErr(`headrace: ${toPlainText(failure.message)}\n`);
    for (const line of failure.details) writeErr(`  ${toTerminalText(line, process.stderr.isTTY === true)}\n`);
    if (argv.includes('--json')) writeOut(`${toJsonText({ error: failure })}\n`);
    return failure.exitCode;
  }
}

/** A failure as `--json` prints it, under `error`. */
interface Failure {
  message: string;
  details: readonly string[];
  exitCode: number;
  /** HTTP status and code of the error table, where the router has refused. */
  status?: number;
  code?: string | null;
  metadata?: Readonly<Record<string, unknown>>;
}

function toFailure(error: unknown): Failure {
  if (error instanceof CommandError) {
    const { message, details, exitCode } = error;
    return {
      message,
      details,
      exitCode,
      ...(error instanceof RefusedError && { status: error.status, code: error.code, metadata: error.metadata }),
    };
  }
  const details = error instanceof Error && process.env.HEADRACE_DEBUG !== undefined ? (error.stack ?? '').split('\n') : [];
  return {
    message: `unexpected: ${toPlainText(error instanceof Error ? error.message : String(error))} (HEADRACE_DEBUG=1 shows where)`,
    details,
    exitCode: EXIT.refused,
  };
}

/** Help and version end well; a command without its subcommand has printed its help; the rest is a line. */
function fromCommander({ code, exitCode, message }: CommanderError, command: string): Failure {
  if (exitCode === 0) return { message: '', details: [], exitCode: EXIT.fine };
  if (code === 'commander.help') return { message: '', details: [], exitCode: EXIT.usage };
  const said = message.replace(/^error: /, '').replaceAll('\n', ' ');
  return { message: `${said} (see npx ${command} --help)`, details: [], exitCode: EXIT.usage };
}

/** Names the command that a line means, as far as its words are commands: `headrace node join`. */
function nameCommand(program: Command, argv: readonly string[]): string {
  const names = [program.name()];
  let { commands } = program;
  for (const word of argv.filter((text) => !text.startsWith('-'))) {
    const command = commands.find((one) => one.name() === word);
    if (command === undefined) break;
    names.push(word);
    ({ commands } = command);
  }
  return names.join(' ');
}
