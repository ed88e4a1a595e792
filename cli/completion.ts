/** Completion in the shell: commands and flags always, names of models, policies, teams and keys where a router answers at once. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { EXIT, SilentExit } from './command-error.ts';
import { createClient } from './router/client.ts';
import { findConnection, type ConnectionOptions, type KeyKind } from './router/connection.ts';

/** Whoever presses Tab waits no longer than this. */
const NAMES_LIMIT_MS = 800;
/** More than these nobody reads. */
const NAMES_MAX = 500;

/** bash expands what it is offered (`compgen -W`): a key called `$(…)` would be run; one called `--yes` would be a flag. */
const SAFE_NAME = /^[\w.:@/][\w.:@/+-]*$/;

/** Where names of one kind come from. */
interface NameSource {
  path: string;
  keyKind: KeyKind;
  /** The field of each item of the answer that is its name. */
  field: string;
}

const MODELS: NameSource = { path: '/models', keyKind: 'inference', field: 'id' };
const POLICIES: NameSource = { path: '/policies', keyKind: 'management', field: 'name' };
const TEAMS: NameSource = { path: '/teams', keyKind: 'management', field: 'id' };
const KEYS: NameSource = { path: '/keys', keyKind: 'management', field: 'name' };

const OPERATORS: NameSource = { path: '/operators', keyKind: 'operator', field: 'id' };
const ENDPOINTS: NameSource = { path: '/endpoints', keyKind: 'operator', field: 'id' };
const NODES: NameSource = { path: '/nodes', keyKind: 'operator', field: 'id' };

const BY_FLAG: Record<string, NameSource> = {
  '--model': MODELS,
  '-m': MODELS,
  '--policy': POLICIES,
  '-p': POLICIES,
  '--team': TEAMS,
  '--operator': OPERATORS,
};
const BY_COMMAND: Record<string, NameSource> = {
  policies: POLICIES,
  teams: TEAMS,
  'keys rotate': KEYS,
  'keys disable': KEYS,
  'keys enable': KEYS,
  'keys delete': KEYS,
  'operators show': OPERATORS,
  'operators keys': OPERATORS,
  'operators revoke': OPERATORS,
  'operators delete': OPERATORS,
  'endpoints show': ENDPOINTS,
  'endpoints change': ENDPOINTS,
  'endpoints drain': ENDPOINTS,
  'endpoints resume': ENDPOINTS,
  'endpoints retire': ENDPOINTS,
  'endpoints probe': ENDPOINTS,
  'nodes show': NODES,
  'nodes drain': NODES,
  'nodes remove': NODES,
};

/** The script for bash leaves out that files are the default. */
const BASH_FILES = 'complete -o default -F __headrace_complete headrace\n';

/** Flags and commands whose value is a file. */
const FILE_FLAGS = new Set(['--file', '-f', '--config', '--out', '--state']);
const FILE_COMMANDS = new Set(['check', 'apply']);
/** Tells the scripts to complete files: the protocol's directive for what shells do by themselves. */
const COMPLETE_FILES = ':0\n';

const SETUP = `
Examples:
  $ source <(npx headrace complete bash)        (needs the package bash-completion)
  $ npx headrace complete zsh > ~/.headrace.zsh && echo 'source ~/.headrace.zsh' >> ~/.zshrc
  $ npx headrace complete fish > ~/.config/fish/completions/headrace.fish

Where headrace is not on the path, define it first: headrace() { npx headrace "$@"; }`;

/** Adds `complete`, which prints a script for a shell, and answers what that script asks. Call it when every other command is there. */
export function addCompletion(program: Command): void {
  const completions = tab(program);
  const command = program.commands.find((one) => one.name() === 'complete');
  command?.alias('completion').description('print a completion script for bash, zsh, fish or powershell').addHelpText('after', SETUP);
  command?.hook('postAction', (_, { args: [shell] }) => void (shell === 'bash' && program.configureOutput().writeOut?.(BASH_FILES)));
  command?.hook('preAction', async (_, { args: words }) => {
    if (isFile(words)) {
      program.configureOutput().writeOut?.(COMPLETE_FILES);
      throw new SilentExit(EXIT.fine);
    }
    const source = sourceFor(words);
    if (source === null) return;
    const names = await readNames(source, words);
    const suggest = (complete: (name: string, description: string) => void): void => names.forEach((name) => complete(name, ''));
    for (const [path, { options, arguments: positional }] of completions.commands) {
      for (const [name, option] of options) if (BY_FLAG[`--${name}`] === source) option.handler = suggest;
      if (BY_COMMAND[path] === source) for (const [, argument] of positional) argument.handler = suggest;
    }
  });
}

function isFile(words: readonly string[]): boolean {
  const [before = '', current = ''] = words.slice(-2);
  if (current.startsWith('-')) return false;
  return FILE_FLAGS.has(before) || (FILE_COMMANDS.has(words[0] ?? '') && words.length > 1 && !BY_FLAG[before] && !before.startsWith('--'));
}

/** Finds out from the words before the cursor which names could stand there; null where none. */
function sourceFor(words: readonly string[]): NameSource | null {
  const [before = '', current = ''] = words.slice(-2);
  const flag = /^(--[a-z-]+)=/.exec(current)?.[1] ?? before;
  const byCommand = BY_COMMAND[words.slice(0, 2).join(' ')] ?? BY_COMMAND[words[0] ?? ''];
  return BY_FLAG[flag] ?? (current.startsWith('-') ? null : (byCommand ?? null));
}

/** Asks the router that the words name. Empty where it does not answer at once: completion has no errors. */
async function readNames({ path, keyKind, field }: NameSource, words: readonly string[]): Promise<string[]> {
  try {
    const client = createClient(findConnection(connectionIn(words), keyKind), NAMES_LIMIT_MS);
    const { data } = await client.get<{ data: Record<string, unknown>[] }>(path);
    const names = data.map((item) => item[field]).filter((name) => typeof name === 'string');
    return names.filter((name) => SAFE_NAME.test(name)).slice(0, NAMES_MAX);
  } catch {
    return [];
  }
}

function connectionIn(words: readonly string[]): ConnectionOptions {
  const valueOf = (flag: string): string | undefined => {
    const place = words.lastIndexOf(flag);
    return place === -1 ? words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1) : words[place + 1];
  };
  return { url: valueOf('--url'), key: valueOf('--key'), state: valueOf('--state') };
}
