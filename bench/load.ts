/** The load generator, a process of its own. Its parent sends `LoadJob` messages and gets one `LoadResult` each back. */
import { Exchange, type Observer, type Target } from './exchange.ts';
import { percentile } from './statistics.ts';

/** One slice of load: where and what to send, and what a token begins with. Connections start evenly spread over `rampMs`; what is seen in those milliseconds is not counted. */
export interface LoadJob {
  url: string;
  key: string;
  body: string;
  tokenMark: string;
  streaming: boolean;
  connections: number;
  rampMs: number;
  durationMs: number;
}

/** Milliseconds at the median and at the 99th percentile; NaN without samples. */
export interface Quantiles {
  p50: number;
  p99: number;
}

/** What one slice saw. `requestsTotal` also counts those outside the counted window, for CPU per request. */
export interface LoadResult {
  requests: number;
  requestsTotal: number;
  tokens: number;
  tokensTotal: number;
  elapsedMs: number;
  durationMs: Quantiles;
  firstTokenMs: Quantiles;
  tokenDelayMs: Quantiles;
  failures: number;
  failureExample: string | null;
}

const SAMPLES_MAX = 500_000;
const DRAIN_MS_MAX = 3_000;

/** Collects microseconds in a bounded buffer; past its end, further samples replace earlier ones in turn. */
class Samples {
  readonly #values = new Float64Array(SAMPLES_MAX);
  #count = 0;

  add(micros: number): void {
    this.#values[this.#count % SAMPLES_MAX] = micros;
    this.#count += 1;
  }

  takeMs(): Quantiles {
    const ascending = this.#values.subarray(0, Math.min(this.#count, SAMPLES_MAX)).sort();
    this.#count = 0;
    return { p50: percentile(ascending, 0.5) / 1_000, p99: percentile(ascending, 0.99) / 1_000 };
  }
}

const durations = new Samples();
const firstTokens = new Samples();
const delays = new Samples();

function toTarget(job: LoadJob): Target {
  const url = new URL(job.url);
  const { body } = job;
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `host: ${url.host}`,
    `authorization: Bearer ${job.key}`,
    'content-type: application/json',
    'accept: */*',
    'user-agent: bench/1',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return {
    host: url.hostname,
    port: Number(url.port),
    tokenMark: Buffer.from(job.tokenMark),
    request: Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`),
  };
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

async function runJob(job: LoadJob): Promise<LoadResult> {
  let counting = false;
  const result = { requests: 0, requestsTotal: 0, tokens: 0, tokensTotal: 0, failures: 0, failureExample: null as string | null };
  const fail = (reason: string): void => {
    result.failures += 1;
    result.failureExample ??= reason;
  };
  const observer: Observer = {
    answered(status, durationMicros, firstTokenMicros) {
      result.requestsTotal += 1;
      if (status !== 200) fail(`status ${status}`);
      else if (job.streaming && Number.isNaN(firstTokenMicros)) fail('a stream without a token');
      if (!counting) return;
      result.requests += 1;
      durations.add(durationMicros);
      if (job.streaming) firstTokens.add(firstTokenMicros);
    },
    token(delayMicros) {
      result.tokensTotal += 1;
      if (!counting) return;
      result.tokens += 1;
      delays.add(delayMicros);
    },
    failed: fail,
  };

  const target = toTarget(job);
  const exchanges: Exchange[] = [];
  for (let started = 0; started < job.connections; started += 1) {
    exchanges.push(new Exchange(target, observer));
    if (job.rampMs > 0) await sleep(job.rampMs / job.connections);
  }
  counting = true;
  const countedFromMs = performance.now();
  await sleep(job.durationMs);
  counting = false;
  const elapsedMs = performance.now() - countedFromMs;

  for (const exchange of exchanges) exchange.stop(false);
  const allClosed = Promise.all(exchanges.map((exchange) => exchange.closed));
  await Promise.race([allClosed, sleep(DRAIN_MS_MAX)]);
  for (const exchange of exchanges) exchange.stop(true);
  return { ...result, elapsedMs, durationMs: durations.takeMs(), firstTokenMs: firstTokens.takeMs(), tokenDelayMs: delays.takeMs() };
}

process.on('message', (job: LoadJob) => {
  void runJob(job).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {}); // the parent decides when to stop
process.send?.({ ready: 0 });
