/**
 * What an engine says of its load at the head of an answer: the header of the Open Request Cost Aggregation format, as vLLM
 * (`entrypoints/openai/orca_metrics.py`), Triton's TensorRT-LLM frontend and our own node links write it.
 */
import type { NodeLoad } from '#schema/node-service';

/** Asks for the header; engines that are not asked do not send it. */
export const LOAD_FORMAT_HEADER = 'endpoint-load-metrics-format';
export const LOAD_FORMAT = 'JSON';
const LOAD_HEADER = 'endpoint-load-metrics';

/** Longer headers are not read. */
const CHARS_MAX = 2_000;
/** No engine runs or queues more. */
const REQUESTS_MAX = 1_000_000;

const RUNNING = ['num_requests_running'];
const WAITING = ['num_requests_waiting'];
const KV_USAGE = ['kv_cache_usage_perc', 'kv_cache_utilization'];

/**
 * Reads the load in either form: `JSON {"named_metrics":{…}}` or `TEXT named_metrics.x=0.4, …`. A number that cannot be is left out, as if it
 * had not been said; null where nothing is left.
 */
export function readNodeLoad(headers: Headers): NodeLoad | null {
  const header = headers.get(LOAD_HEADER);
  if (header === null || header.length > CHARS_MAX) return null;
  const metrics = metricsOf(header.trim());
  const running = requests(pick(metrics, RUNNING));
  const waiting = requests(pick(metrics, WAITING));
  const kvUsage = share(pick(metrics, KV_USAGE));
  if (running === null && waiting === null && kvUsage === null) return null;
  return { running: running ?? 0, waiting: waiting ?? 0, kvUsage };
}

type Metrics = ReadonlyMap<string, unknown>;

const NONE: Metrics = new Map();

function metricsOf(header: string): Metrics {
  const space = header.indexOf(' ');
  const format = space < 0 ? '' : header.slice(0, space).toUpperCase();
  const said = header.slice(space + 1);
  if (format === 'JSON') return fromJson(said);
  return format === 'TEXT' ? fromText(said) : NONE;
}

function fromJson(text: string): Metrics {
  try {
    const named = (JSON.parse(text) as { named_metrics?: unknown } | null)?.named_metrics;
    return typeof named === 'object' && named !== null ? new Map(Object.entries(named)) : NONE;
  } catch {
    return NONE;
  }
}

function fromText(text: string): Metrics {
  const metrics = new Map<string, unknown>();
  for (const pair of text.split(',')) {
    const [name = '', value = ''] = pair.split('=', 2).map((part) => part.trim());
    if (name.startsWith('named_metrics.') && value !== '') metrics.set(name.slice('named_metrics.'.length), Number(value));
  }
  return metrics;
}

function pick(metrics: Metrics, names: readonly string[]): unknown {
  const name = names.find((one) => metrics.has(one));
  return name === undefined ? undefined : metrics.get(name);
}

function requests(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= REQUESTS_MAX ? Math.floor(value) : null;
}

function share(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : null;
}
