/** One inference request at one endpoint, read top to bottom: let in, understand, admit, generate, send in time. */
import { performance } from 'node:perf_hooks';
import { composeAnswer, countAnswerTokens, type Answer } from './answer.ts';
import { isRefusal } from './body.ts';
import { drawTtftMs, tpotMs } from './endpoint.ts';
import type { Refusal } from './error-family.ts';
import { drawFaults, type FaultName } from './faults.ts';
import { readJson, writeAndDestroy, writePiece, type Exchange } from './http.ts';
import type { Dialect, Frame, Reply, TokenUsage } from './dialect.ts';
import type { Job } from './job.ts';
import { loadHeaders } from './load.ts';
import { drawLognormal } from './random.ts';
import { answerFalsely, breakConnection, sendRefusal } from './sabotage.ts';
import type { Slot } from './slots.ts';

const OVER_REPORT_FACTOR = 10;
/** Deviation of the logarithm of each word's pace. */
const PACE_SIGMA = 0.1;
/** Timers are no finer than this; shorter pauses are saved up. */
const PAUSE_MS_MIN = 1;
const BROKEN_EVENT = 'data: {"id":"broken","choices":[{"index":0,"delta":\n\n';
const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** How a request ended; each is a counter of the endpoint. */
type Ending = 'completed' | 'faulted' | 'rejected' | 'refused' | 'cancelled';

/** Serves one request in the given dialect and counts how it ended. Never rejects for what a client does. */
export async function serveInference(exchange: Exchange, dialect: Dialect): Promise<void> {
  const { endpoint } = exchange;
  endpoint.counters.requests += 1;
  const ending = await serve(exchange, dialect);
  endpoint.counters[ending] += 1;
}

async function serve(exchange: Exchange, dialect: Dialect): Promise<Ending> {
  const { endpoint, random } = exchange;
  const arrivedAtMs = performance.now();
  const faults = drawFaults(endpoint.faults, endpoint.habits ? endpoint.card.habits : [], random);
  if (await breakConnection(exchange, faults)) return 'faulted';

  const unknown = refuseStranger(exchange);
  if (unknown !== null) return refuse(exchange, unknown, 'rejected');
  const job = await understand(exchange, dialect);
  if (job === 'gone') return 'cancelled';
  if (isRefusal(job)) return refuse(exchange, job, 'rejected');
  if (await answerFalsely(exchange, faults, dialect, job)) return 'faulted';

  const answers = Array.from({ length: job.choices }, (_, index) => composeAnswer(job, endpoint.card.id, index));
  const slot = admit(exchange, job, answers);
  if ('status' in slot) return refuse(exchange, slot, 'refused');
  // Freed by the event itself, not by the next turn of a loop that may be asleep.
  exchange.signal.addEventListener('abort', () => slot.release(), { once: true });
  try {
    return await answer(exchange, dialect, { job, answers, slot, faults, arrivedAtMs });
  } finally {
    slot.release();
  }
}

function refuse(exchange: Exchange, refusal: Refusal, ending: Ending): Ending {
  sendRefusal(exchange, refusal);
  return ending;
}

/** Says what is wrong with the key of a request, or null. Anthropic's dialect has it in `x-api-key`, the others as bearer. */
export function refuseStranger({ endpoint: { card }, request }: Exchange): Refusal | null {
  if (card.key === null) return null;
  const given =
    card.dialect === 'anthropic-messages' ? request.headers['x-api-key'] : request.headers.authorization?.replace(/^Bearer /i, '');
  return given === card.key ? null : { status: 401, message: 'Incorrect API key provided.', code: 'invalid_api_key' };
}

async function understand(exchange: Exchange, dialect: Dialect): Promise<Job | Refusal | 'gone'> {
  const read = await readJson(exchange.request);
  if (read === 'gone') return 'gone';
  if (read === 'too_large') return { status: 413, message: 'The request body is too large.', code: 'request_too_large' };
  if (read === 'invalid') return { status: 400, message: 'The request body is not valid JSON.', code: 'invalid_json' };
  return dialect.parse(read.value, exchange.endpoint.card, exchange.request.headers);
}

function admit({ endpoint, response }: Exchange, job: Job, answers: readonly Answer[]): Slot | Refusal {
  const { card, rateWindow, slots, rejections } = endpoint;
  const tokens = job.promptTokens + answers.reduce((sum, answer) => sum + countAnswerTokens(answer), 0);
  if (rateWindow !== null) {
    const nowMs = Date.now();
    const turn = rateWindow.take(tokens, nowMs);
    const headers = rateWindow.headers(card.dialect === 'anthropic-messages' ? 'anthropic' : 'openai', nowMs);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!turn.admitted) {
      return {
        status: 429,
        message: 'Rate limit reached for requests or tokens per minute.',
        code: 'rate_limit_exceeded',
        retryAfterS: turn.retryAfterS,
      };
    }
  }
  const slot = slots.admit({ sequences: job.choices, tokens });
  if (typeof slot !== 'string') return slot;
  rejections.set(slot, (rejections.get(slot) ?? 0) + 1);
  return card.node === null
    ? { status: 429, message: 'Infrastructure is at maximum capacity, try again later.', code: 'at_capacity' }
    : { status: 503, message: `Server overloaded: too many queued ${slot}. Please retry later.`, code: 'overloaded' };
}

interface Work {
  job: Job;
  answers: readonly Answer[];
  slot: Slot;
  faults: ReadonlySet<FaultName>;
  arrivedAtMs: number;
}

async function answer(exchange: Exchange, dialect: Dialect, work: Work): Promise<Ending> {
  const { endpoint, response, scheduler, signal, random } = exchange;
  const { job, answers, slot, faults } = work;
  const slow = faults.has('slow');
  const streams = job.streaming && !faults.has('truncated-json');
  // vLLM sends headers before the first token; whoever times headers measures nothing.
  if (streams && endpoint.card.node !== null) response.writeHead(200, EVENT_STREAM).flushHeaders();

  const cachedTokens = job.caches ? endpoint.prefixCache.match(job.prompt) : 0;
  const usage = measure(job, answers, cachedTokens);
  await slot.running;
  const ttftMs = drawTtftMs(endpoint, usage.promptTokens - cachedTokens, slow, random);
  if (!(await scheduler.wait(ttftMs / endpoint.speed, signal))) return 'cancelled';
  endpoint.ttft.observe(((performance.now() - work.arrivedAtMs) * endpoint.speed) / 1000);

  const reply: Reply = {
    id: `chatcmpl-${endpoint.card.id}-${exchange.serial}`,
    createdAtS: Math.floor(Date.now() / 1000),
    card: endpoint.card,
    job,
    answers,
    usage: reportUsage(usage, faults),
  };
  const ending = streams
    ? await sendStream(exchange, dialect.renderFrames(reply), work)
    : await sendWhole(exchange, JSON.stringify(dialect.renderBody(reply)), work);
  if (ending === 'completed') book(exchange, usage, answers);
  return ending;
}

function measure(job: Job, answers: readonly Answer[], cachedTokens: number): TokenUsage {
  const sum = (count: (answer: Answer) => number): number => answers.reduce((total, answer) => total + count(answer), 0);
  return {
    promptTokens: job.promptTokens,
    cachedTokens: Math.min(cachedTokens, job.promptTokens - 1),
    completionTokens: sum(countAnswerTokens),
    reasoningTokens: sum((answer) => answer.reasoning.length),
  };
}

function reportUsage(usage: TokenUsage, faults: ReadonlySet<FaultName>): TokenUsage | null {
  if (faults.has('no-usage')) return null;
  return faults.has('over-report-usage') ? { ...usage, completionTokens: usage.completionTokens * OVER_REPORT_FACTOR } : usage;
}

async function sendStream(exchange: Exchange, frames: readonly Frame[], work: Work): Promise<Ending> {
  const { endpoint, response, scheduler, signal, random } = exchange;
  const { faults, job } = work;
  const half = Math.max(1, Math.floor(frames.length / 2));
  if (!response.headersSent) response.writeHead(200, EVENT_STREAM);
  let dueAtMs = performance.now();
  for (const [index, frame] of frames.entries()) {
    if (index === 1 && faults.has('malformed-sse') && !(await writePiece(response, BROKEN_EVENT, signal))) return 'cancelled';
    if (index === half && faults.has('die-mid-stream')) {
      await writeAndDestroy(response, frame.text);
      return 'faulted';
    }
    if (index === half && faults.has('hang-mid-stream')) {
      await scheduler.wait(Number.POSITIVE_INFINITY, signal);
      return 'faulted';
    }
    // The choices of one request are decoded side by side, so each step yields a token of every one of them.
    const paceMs = tpotMs(endpoint, faults.has('slow')) * drawLognormal(random, 1, PACE_SIGMA);
    dueAtMs += ((frame.tokens / job.choices) * paceMs) / endpoint.speed;
    if (frame.tokens > 0) endpoint.tpot.observe(paceMs / 1000);
    const pauseMs = dueAtMs - performance.now();
    if (pauseMs > PAUSE_MS_MIN && !(await scheduler.wait(pauseMs, signal))) return 'cancelled';
    if (!(await writePiece(response, frame.text, signal))) return 'cancelled';
  }
  response.end();
  return faults.has('malformed-sse') ? 'faulted' : 'completed';
}

async function sendWhole(exchange: Exchange, body: string, work: Work): Promise<Ending> {
  const { endpoint, response, scheduler, signal } = exchange;
  const { faults, job, answers } = work;
  const decodeSteps = answers.reduce((sum, answer) => sum + countAnswerTokens(answer), 0) / job.choices;
  const decodeMs = decodeSteps * tpotMs(endpoint, faults.has('slow'));
  if (!(await scheduler.wait(decodeMs / endpoint.speed, signal))) return 'cancelled';
  endpoint.tpot.observe(decodeMs / Math.max(1, decodeSteps) / 1000);

  const half = body.slice(0, Math.floor(body.length / 2));
  const contentLength = String(Buffer.byteLength(body));
  const headers = { 'content-type': 'application/json', ...loadHeaders(endpoint, exchange.request) };
  if (faults.has('truncated-json')) {
    response.writeHead(200, headers).end(half);
    return 'faulted';
  }
  response.writeHead(200, { ...headers, 'content-length': contentLength });
  if (faults.has('die-mid-stream')) {
    await writeAndDestroy(response, half);
    return 'faulted';
  }
  if (faults.has('hang-mid-stream')) {
    await writePiece(response, half, signal);
    await scheduler.wait(Number.POSITIVE_INFINITY, signal);
    return 'faulted';
  }
  response.end(body);
  return 'completed';
}

function book({ endpoint }: Exchange, usage: TokenUsage, answers: readonly Answer[]): void {
  endpoint.counters.promptTokens += usage.promptTokens;
  endpoint.counters.cachedTokens += usage.cachedTokens;
  endpoint.counters.completionTokens += usage.completionTokens;
  for (const { finish } of answers) endpoint.finished.set(finish, (endpoint.finished.get(finish) ?? 0) + 1);
}
