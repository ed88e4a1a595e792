/** The flags of `headrace node join`, and how they are read. */
import { hostname } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { country } from '#schema/catalog';
import { nodeId } from '#schema/node';
import { UsageError } from '../command-error.ts';
import type { BenchmarkLength } from './benchmark/benchmark.ts';
import type { ModelWish, ServedModel } from './served-models.ts';

const USD = /^\d{1,6}(\.\d{1,9})?$/;

/** USD per million tokens. */
export interface PriceWish {
  prompt: number;
  completion: number;
}

/** Prices by the name of a model, the router's or the engine's; `''` stands for every model that has none of its own. */
export type PriceWishes = Readonly<Record<string, PriceWish>>;

/** The flags, read; times in seconds. */
export interface JoinOptions {
  router: string;
  token?: string;
  upstream: string;
  upstreamKey?: string;
  name?: string;
  price?: PriceWishes;
  team?: string;
  maxConcurrency?: number;
  model?: ModelWish[];
  jurisdiction?: string[];
  gpu?: string;
  /** An engine's own word. */
  kvCache?: string;
  /** Tokens. */
  kvPool?: number;
  benchmark: BenchmarkLength;
  drainTimeout: number;
  stateDir?: string;
  onceChecks: boolean;
  insecure: boolean;
}

/** Reads `0.02/0.06`, or `qwen/qwen3-8b=0.02/0.06` for one model, behind those before it. Throws InvalidArgumentError. */
export function parsePrices(text: string, before: PriceWishes = {}): PriceWishes {
  const at = text.lastIndexOf('=') + 1;
  return { ...before, [text.slice(0, Math.max(0, at - 1))]: parsePrice(text.slice(at)) };
}

/** Reads `0.02/0.06`. Throws InvalidArgumentError. */
export function parsePrice(text: string): PriceWish {
  const [prompt = '', completion = '', ...rest] = text.replaceAll('$', '').split('/');
  if (rest.length > 0 || !USD.test(prompt) || !USD.test(completion))
    throw new InvalidArgumentError('expected USD per million prompt and completion tokens, such as 0.02/0.06.');
  return { prompt: Number(prompt), completion: Number(completion) };
}

/** Finds the price of a model; undefined where none was named. */
export function priceOf(prices: PriceWishes | undefined, { model, facts }: ServedModel): PriceWish | undefined {
  return prices?.[model] ?? prices?.[facts.upstreamModel] ?? prices?.[''];
}

/** Throws UsageError for a price of a model that is not served: a price that counts for nothing must not be believed in. */
export function checkPrices(prices: PriceWishes | undefined, served: readonly ServedModel[]): void {
  const names = new Set(served.flatMap(({ model, facts }) => [model, facts.upstreamModel]));
  const stray = Object.keys(prices ?? {}).find((name) => name !== '' && !names.has(name));
  if (stray !== undefined)
    throw new UsageError(`--price names ${stray}, which is not served (served: ${served.map(({ model }) => model).join(', ')})`);
}

/** Reads `DE,FR`. Throws InvalidArgumentError. */
export function parseJurisdiction(text: string): string[] {
  const read = country
    .array()
    .min(1)
    .safeParse(text.split(',').map((code) => code.trim().toUpperCase()));
  if (!read.success) throw new InvalidArgumentError('expected two-letter country codes separated by commas, such as DE or DE,FR.');
  return read.data;
}

/** Reads the name of a node. Throws InvalidArgumentError. */
export function parseNodeName(text: string): string {
  if (!nodeId.safeParse(text).success)
    throw new InvalidArgumentError('expected at most 64 letters, digits, `.`, `_` or `-`, starting with a letter or digit.');
  return text;
}

/** Reads a number of seconds from 0. Throws InvalidArgumentError. */
export function parseSeconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('expected a whole number of seconds.');
  return Number(text);
}

/** Reads the address of an engine: without a trailing slash and without `/v1`, nor what stands behind it. Throws UsageError. */
export function readUpstream(text: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`not an address: ${text} (expected http://127.0.0.1:8000 or http://[::1]:8000)`);
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the address of the engine holds a password; give a key with --upstream-key');
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1(\/(chat\/completions|completions|models))?$/, '')}`;
}

/** Reads a key or token, without the line break that files end with; null where there is none. Throws UsageError, which never quotes it. */
export function readSecret(flag: string, text: string | undefined): string | null {
  const secret = text?.trim() ?? '';
  if (secret === '') return null;
  if (!/^[\x21-\x7e]+$/.test(secret)) throw new UsageError(`${flag} holds a character that no key has`);
  return secret;
}

/** Names the node after its machine. */
export function nameOfMachine(): string {
  const name = hostname()
    .split('.')[0]
    ?.replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return name === undefined || name === '' ? 'node' : name.toLowerCase();
}
