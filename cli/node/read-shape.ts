/** Finds out what `--model` means: a name of the table, a `config.json` on this machine, or one behind an address. */
import { existsSync, readFileSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { findModel, lookUpModel } from '#src/nodes/capacity/find-model';
import type { ModelShape } from '#src/nodes/capacity/model-shape';
import { readModelConfig } from '#src/nodes/capacity/read-config';
import { CommandError } from '../command-error.ts';
import { LOCAL_HOSTS } from '../local-hosts.ts';

/** A config.json takes a few kilobytes; those that list every tensor's scale take hundreds. */
const CONFIG_BYTES_MAX = 4 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 15_000;
const REDIRECTS_MAX = 5;

/** Reads the shape of a model. Throws CommandError or CapacityProblem with what is wrong about it. */
export async function readShape(model: string): Promise<ModelShape> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(model)) {
    if (!URL.canParse(model)) throw new CommandError(`${model} is no address`);
    const url = new URL(model);
    return readModelConfig(parse(await fetchConfig(url), show(url)), nameOf(url.pathname));
  }
  const isPath = /^[.~/]/.test(model) || model.endsWith('.json');
  if (!isPath && (lookUpModel(model) !== null || !existsSync(model))) return findModel(model);
  return readModelConfig(parse(readConfig(model), model), nameOf(path.resolve(model)));
}

/** Names a model after the folder that its config is in; hubs put branch names between. */
function nameOf(file: string): string {
  const parts = file.split(/[/\\]/).filter((part) => part !== '' && !/\.json$|^(resolve|raw|blob|main)$/.test(part));
  return parts.at(-1) ?? 'config.json';
}

function readConfig(model: string): string {
  let file = model;
  try {
    if (statSync(model).isDirectory()) file = path.join(model, 'config.json');
    const { size } = regular(file);
    if (size > CONFIG_BYTES_MAX) throw new CommandError(`${file} is larger than ${CONFIG_BYTES_MAX} bytes: not a config.json`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown failure'}`);
  }
}

/** Devices and pipes have no size, and need not end. */
function regular(file: string): Stats {
  const stats = statSync(file);
  if (!stats.isFile()) throw new CommandError(`${file} is no regular file`);
  return stats;
}

/** Fetches a config, every hop over https or on this machine. */
async function fetchConfig(address: URL): Promise<string> {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  let url = address;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    checkScheme(url);
    const response = await request(url, signal);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      url = new URL(location, url);
    } else if (response.ok) return await readBody(response, url);
    else {
      await response.body?.cancel();
      throw new CommandError(`${show(url)} answers ${response.status}`);
    }
  }
  throw new CommandError(`${show(url)}: redirected more than ${REDIRECTS_MAX} times`);
}

/** Without what may be secret in an address: user, password and query. */
function show(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function checkScheme(url: URL): void {
  const isLocal = LOCAL_HOSTS.includes(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) return;
  throw new CommandError(`${show(url)}: only https is fetched, and http from this machine`);
}

async function request(url: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
  } catch {
    throw new CommandError(
      signal.aborted ? `${show(url)} did not answer within ${FETCH_TIMEOUT_MS / 1000} s` : `cannot reach ${show(url)}`,
    );
  }
}

async function readBody(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > CONFIG_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch {
    throw new CommandError(`${show(url)} broke off, or took longer than ${FETCH_TIMEOUT_MS / 1000} s`);
  }
  if (bytes > CONFIG_BYTES_MAX) throw new CommandError(`${show(url)} sends more than ${CONFIG_BYTES_MAX} bytes: not a config.json`);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(withoutInfinity(text.replace(/^\uFEFF/, '')));
  } catch {
    const hint = /^\s*</.test(text) ? ': it is a web page; give the address of the file itself' : '';
    throw new CommandError(`${source} is not JSON${hint}`);
  }
}

/** Python writes numbers that JSON does not have (`"time_step_limit": [0.0, Infinity]`); none of them is a size. */
function withoutInfinity(text: string): string {
  let isInString = false;
  // Piece by piece: a pattern of whole strings would start anew at every quote of one that never ends.
  return text.replaceAll(/\\.|"|-?\b(?:Infinity|NaN)\b/gs, (token) => {
    if (token === '"') isInString = !isInString;
    return isInString || token === '"' || token.startsWith('\\') ? token : 'null';
  });
}
