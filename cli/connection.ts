/** Which router a command talks to, and with which key. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from './command-error.ts';

/** Where a command finds nothing else: the router that `npm start` runs. */
export const DEFAULT_URL = 'http://localhost:8787';
/** State directory of `npm start`, where wrangler keeps local D1 too. */
export const DEFAULT_STATE = '.wrangler/state';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const MANAGEMENT_PREFIX = 'sk-hr-mgmt-';

/** What a key may do: manage and never infer, or infer and never manage. */
export type KeyKind = 'management' | 'inference';

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
  if (fromEnvironment !== undefined && (kindOf(fromEnvironment) === kind || !isLoopback(url)))
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
  return key.startsWith(MANAGEMENT_PREFIX) ? 'management' : 'inference';
}

/** Refuses early and in plain words what the router would refuse anyway. */
function ofKind(key: string, kind: KeyKind, origin: string): string {
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError(`${origin} is not a key`);
  if (kindOf(key) === kind) return key;
  const [wanted, found] =
    kind === 'management'
      ? [`a management key (${MANAGEMENT_PREFIX}…)`, 'an inference key']
      : ['an inference key (sk-hr-…)', 'a management key'];
  throw new UsageError(`this command needs ${wanted}; ${origin} holds ${found}`);
}

/** Reads the key that `npm start` has made for a state directory. */
function readLocalKey(stateDir: string, kind: KeyKind): string {
  const file = path.join(stateDir, 'headrace', 'keys.json');
  const kept = readKeyFile(file)[kind === 'management' ? 'management' : 'local'];
  if (typeof kept === 'string') return kept;
  throw new UsageError(
    `no ${kind} key: ${file} does not hold one; use --key, the variable HEADRACE_KEY, or --state DIR of the local router`,
  );
}

function readKeyFile(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}
