/**
 * Real endpoints of one model as three files describe them: what they are, what they cost when, and which share of requests succeeded.
 * Columns as in github.com/dthinkr/openrouter-uptime: USD per token, percent of requests in the five minutes before each poll.
 */
import { quantization, type Quantization } from '#schema/catalog';
import { readNumber } from '../workloads/csv.ts';
import { readTable } from '../workloads/read-table.ts';
import { readTimeMs } from '../workloads/read-time.ts';
import type { TellReading } from '../workloads/text-lines.ts';

const UNKNOWN_CONTEXT_TOKENS = 32_768;
const SUGGESTIONS_MAX = 5;

/** Prices in USD per token, as listed: discounts are in them already (half of the list price and `discount` 0.5 come together). */
export interface ReplayPrice {
  atMs: number;
  promptUsd: number;
  completionUsd: number;
  cacheReadUsd: number | null;
}

/** One endpoint; histories in order of time. `polls`: share of requests that succeeded, null where nothing was measured. */
export interface ReplayEndpoint {
  id: string;
  operatorId: string;
  quantization: Quantization;
  context: number;
  prices: ReplayPrice[];
  polls: { atMs: number; successShare: number | null }[];
}

export interface Replay {
  model: string;
  endpoints: ReplayEndpoint[];
  /** Every instant at which the fleet was polled, ascending, epoch milliseconds. */
  pollsMs: number[];
}

export interface ReplayFiles {
  endpoints: string;
  prices: string;
  uptime: string;
}

/**
 * Reads one model; null chooses the one with the most endpoints. Endpoints without a price, or that cost nothing, are left out: nobody could be charged for them.
 * Throws an Error with a one-line message that names file and line, or the models with most endpoints where this one has none.
 */
export async function readReplay(files: ReplayFiles, model: string | null, tell?: TellReading): Promise<Replay> {
  const { name, byEp } = await readEndpoints(files.endpoints, model);
  await readPrices(files.prices, byEp);
  const pollsMs = await readUptime(files.uptime, byEp, tell);
  const endpoints = [...byEp.values()].filter(({ prices, polls }) => prices.length > 0 && polls.length > 0);
  if (endpoints.length === 0) throw new Error(`${files.uptime}: no endpoint of ${name} has both prices and polls`);
  return { model: name, endpoints, pollsMs };
}

type ByEp = Map<string, ReplayEndpoint>;

async function readEndpoints(file: string, model: string | null): Promise<{ name: string; byEp: ByEp }> {
  const models = new Map<string, ByEp>();
  await readTable(file, { required: ['ep', 'model'], optional: ['tag', 'provider', 'quantization', 'context_length'] }, (row) => {
    if (row.ep === '' || row.model === '') throw new Error('ep and model must not be empty');
    const byEp = models.get(row.model) ?? new Map<string, ReplayEndpoint>();
    models.set(row.model, byEp);
    const tag = row.tag === '' ? `ep-${row.ep}` : row.tag;
    const isTaken = [...byEp.values()].some(({ id }) => id === tag);
    byEp.set(row.ep, {
      id: isTaken ? `${tag}#${row.ep}` : tag,
      operatorId: row.provider === '' ? tag.replace(/\/.*/, '') : row.provider,
      quantization: quantization.catch('unknown').parse(row.quantization),
      context: readNumber(row.context_length) ?? UNKNOWN_CONTEXT_TOKENS,
      prices: [],
      polls: [],
    });
  });
  const largest = [...models].toSorted(([, left], [, right]) => right.size - left.size);
  const [first] = largest;
  if (first === undefined) throw new Error(`${file}: no endpoints in it`);
  const found = model === null ? first : largest.find(([name]) => name === model);
  if (found === undefined) {
    const names = largest.slice(0, SUGGESTIONS_MAX).map(([name]) => name);
    throw new Error(`--model ${model} has no endpoints in ${file}; most have ${names.join(', ')}`);
  }
  return { name: found[0], byEp: found[1] };
}

async function readPrices(file: string, byEp: ByEp): Promise<void> {
  const columns = { required: ['ts', 'ep', 'prompt_usd_per_token', 'completion_usd_per_token'] as const };
  await readTable(file, { ...columns, optional: ['cache_read_usd_per_token'] }, (row) => {
    const endpoint = byEp.get(row.ep);
    if (endpoint === undefined) return;
    const promptUsd = readNumber(row.prompt_usd_per_token);
    const completionUsd = readNumber(row.completion_usd_per_token);
    if (promptUsd === null || completionUsd === null || promptUsd < 0 || completionUsd < 0 || promptUsd + completionUsd === 0) return;
    endpoint.prices.push({
      atMs: requireTimeMs(row.ts),
      promptUsd,
      completionUsd,
      cacheReadUsd: readNumber(row.cache_read_usd_per_token),
    });
  });
  for (const { prices } of byEp.values()) prices.sort((left, right) => left.atMs - right.atMs);
}

async function readUptime(file: string, byEp: ByEp, tell?: TellReading): Promise<number[]> {
  const polls = new Map<string, number>();
  await readTable(
    file,
    { required: ['ts', 'ep'], optional: ['up5m', 'up30m', 'up1d'] },
    (row) => {
      const atMs = polls.get(row.ts) ?? requireTimeMs(row.ts);
      polls.set(row.ts, atMs);
      const percent = readNumber(row.up5m) ?? readNumber(row.up30m) ?? readNumber(row.up1d);
      if (percent !== null && (percent < 0 || percent > 100)) throw new Error(`a success of ${percent} percent`);
      byEp.get(row.ep)?.polls.push({ atMs, successShare: percent === null ? null : percent / 100 });
    },
    tell,
  );
  for (const endpoint of byEp.values()) endpoint.polls.sort((left, right) => left.atMs - right.atMs);
  return [...new Set(polls.values())].sort((left, right) => left - right);
}

function requireTimeMs(text: string): number {
  const timeMs = readTimeMs(text);
  if (timeMs === null) throw new Error(`ts is no date: "${text.slice(0, 40)}"`);
  return timeMs;
}
