/** Which router a command talks to, and with which key. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../command-error.ts';

/** Where a command finds nothing else: the router that `npm start` runs. */
export const DEFAULT_URL = 'http://localhost:8787';
/** State directory of `npm start`, where wrangler keeps local D1 too. */
export const DEFAULT_STATE = '.wrangler/state';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const MANAGEMENT_PREFIX = 'sk-hr-mgmt-';
const OPERATOR_PREFIX = 'sk-hr-op-';

/** What a key may do: manage and never infer, infer and never manage, or manage what one operator has. Managers may do what operators do. */
export type KeyKind = 'management' | 'inference' | 'operator';

/** The flags that every command with a router takes. */
export interface ConnectionOptions {
  url?: string | undefined;
  key?: string | undefined;
  /** State directory of a local router, where its keys are kept. */
  state?: string | undefined;
}

export interface Connection {
  /** Address without a trailing slash and without `/v1`. */
  url: string;
  key: string;
}

/** Finds router and key: flags first, then HEADRACE_URL and HEADRACE_KEY, then the local router and the key that it keeps. Throws UsageError. */
export function findConnection(options: ConnectionOptions, kind: KeyKind, environment: NodeJS.ProcessEnv = process.env): Connection {
  const url = readUrl(options.url ?? (environment.HEADRACE_URL || DEFAULT_URL));
  if (options.key !== undefined) return { url, key: ofKind(options.key, kind, '--key') };
  const fromEnvironment = environment.HEADRACE_KEY || undefined;
  // One variable for two kinds: where it holds the other kind, a local router has a key of the right one.
  if (fromEnvironment !== undefined && (suits(kindOf(fromEnvironment), kind) || !isLoopback(url)))
    return { url, key: ofKind(fromEnvironment, kind, 'HEADRACE_KEY') };
  if (!isLoopback(url)) throw new UsageError(`name a ${kind} key for ${url}: --key, or the variable HEADRACE_KEY`);
  return { url, key: readLocalKey(options.state ?? DEFAULT_STATE, kind) };
}

/** Reads the address of a router; a path that clients end in (`/v1`, `/api/v1`) is dropped. */
function readUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`not an address: ${text} (expected http:// or https://)`);
  if (url.username !== '' || url.password !== '') throw new UsageError('the address holds a password; give the key with --key');
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/(\/api)?\/v1$/, '')}`;
}

function isLoopback(url: string): boolean {
  return LOOPBACK.has(new URL(url).hostname);
}

function kindOf(key: string): KeyKind {
  if (key.startsWith(OPERATOR_PREFIX)) return 'operator';
  return key.startsWith(MANAGEMENT_PREFIX) ? 'management' : 'inference';
}

function suits(found: KeyKind, wanted: KeyKind): boolean {
  return found === wanted || (wanted === 'operator' && found === 'management');
}

const WANTED: Readonly<Record<KeyKind, string>> = {
  management: `a management key (${MANAGEMENT_PREFIX}…)`,
  inference: 'an inference key (sk-hr-…)',
  operator: `an operator key (${OPERATOR_PREFIX}…) or a management key`,
};
const FOUND: Readonly<Record<KeyKind, string>> = {
  management: 'a management key',
  inference: 'an inference key',
  operator: 'an operator key',
};

/** Refuses early and in plain words what the router would refuse anyway. */
function ofKind(key: string, kind: KeyKind, origin: string): string {
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError(`${origin} is not a key`);
  if (suits(kindOf(key), kind)) return key;
  throw new UsageError(`this command needs ${WANTED[kind]}; ${origin} holds ${FOUND[kindOf(key)]}`);
}

/** Reads the key that `npm start` has made for a state directory. */
function readLocalKey(stateDir: string, kind: KeyKind): string {
  const file = path.join(stateDir, 'headrace', 'keys.json');
  const kept = readKeyFile(file)[kind === 'inference' ? 'local' : 'management'];
  if (typeof kept === 'string') return kept;
  throw new UsageError(
    `no ${kind === 'operator' ? 'management' : kind} key: ${file} does not hold one; use --key, the variable HEADRACE_KEY, or --state DIR of the local router`,
  );
}

function readKeyFile(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}
