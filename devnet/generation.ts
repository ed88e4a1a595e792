/** Text, generated: answers composed, sent at the endpoint's pace as a stream or whole, with the faults that strike inside an answer. */
import { performance } from 'node:perf_hooks';
import { composeAnswer, countAnswerTokens, type Answer } from './answer.ts';
import { isRefusal } from './body.ts';
import { deliverWhole } from './deliver.ts';
import type { Dialect, Frame, Reply, TokenUsage } from './dialect.ts';
import { drawTtftMs, tpotMs, type Ending } from './endpoint.ts';
import type { Refusal } from './error-family.ts';
import { isSlowed, OVER_REPORT_FACTOR, type FaultName } from './faults.ts';
import { readJson, refuseUnread, writeAndDestroy, writePiece, type Exchange } from './http.ts';
import type { Job } from './job.ts';
import { drawLognormal } from './random.ts';
import type { Surface, Work, Workload } from './surface.ts';

/** Deviation of the logarithm of each word's pace. */
const PACE_SIGMA = 0.1;
/** Timers are no finer than this; shorter pauses are saved up. */
const PAUSE_MS_MIN = 1;
/** How long `stall-mid-stream` is silent. */
const STALL_MS = 8000;
/** UTF-8 writes a character of several bytes with bytes from here on. */
const FIRST_WIDE_BYTE = 0x80;
const BROKEN_EVENT = 'data: {"id":"broken","choices":[{"index":0,"delta":\n\n';
const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

interface Generation extends Workload {
  job: Job;
  answers: readonly Answer[];
}

/** Makes the surface that generates text in the given dialect. */
export function textSurface(dialect: Dialect): Surface<Generation> {
  return {
    read: (exchange) => readGeneration(exchange, dialect),
    perform: (exchange, work) => generate(exchange, dialect, work),
    renderErrorFrame: ({ endpoint }, refusal) => dialect.renderErrorFrame(endpoint.card, refusal),
  };
}

async function readGeneration({ request, endpoint }: Exchange, dialect: Dialect): Promise<Generation | Refusal | 'gone'> {
  const read = await readJson(request);
  if (typeof read === 'string') return refuseUnread(read);
  const asked = dialect.parse(read.value, endpoint.card, request.headers);
  if (isRefusal(asked)) return asked;
  const job = { ...asked, isOther: endpoint.faults.has('other-model') };
  const answers = Array.from({ length: job.choices }, (_, index) => composeAnswer(job, endpoint.card.id, index));
  const { promptTokens, streaming, choices } = job;
  const tokens = promptTokens + sumOver(answers, countAnswerTokens);
  return { job, answers, streaming, sequences: choices, promptTokens, tokens };
}

async function generate(exchange: Exchange, dialect: Dialect, work: Work<Generation>): Promise<Ending> {
  const { endpoint, response, scheduler, signal, random } = exchange;
  const { slot, faults } = work;
  const { job, answers } = work.task;
  const streams = job.streaming && !faults.has('truncated-json');
  // vLLM sends headers before the first token; whoever times headers measures nothing.
  if (streams && endpoint.card.node !== null) response.writeHead(200, EVENT_STREAM).flushHeaders();

  const cachedTokens = job.caches ? endpoint.prefixCache.match(job.prompt) : 0;
  const usage = measure(job, answers, cachedTokens);
  await slot.running;
  const reply: Reply = {
    id: `chatcmpl-${endpoint.card.id}-${exchange.serial}`,
    createdAtS: Math.floor(Date.now() / 1000),
    card: endpoint.card,
    job,
    answers,
    usage: reportUsage(usage, faults),
  };
  const frames = streams ? dialect.renderFrames(reply) : [];
  const opensEmpty = streams && faults.has('empty-first-event');
  if (opensEmpty) {
    if (!response.headersSent) response.writeHead(200, EVENT_STREAM);
    if (!(await writePiece(response, frames.shift()?.text ?? '', signal))) return 'cancelled';
  }
  const isLate = opensEmpty || isSlowed(faults, job.maxTokens);
  const ttftMs = drawTtftMs(endpoint, usage.promptTokens - cachedTokens, isLate, random);
  if (!(await scheduler.wait(ttftMs / endpoint.speed, signal))) return 'cancelled';
  endpoint.ttft.observe(((performance.now() - work.arrivedAtMs) * endpoint.speed) / 1000);

  const ending = streams
    ? await sendStream(exchange, frames, work)
    : await sendWhole(exchange, JSON.stringify(dialect.renderBody(reply)), work);
  if (ending === 'completed') book(exchange, usage, answers);
  return ending;
}

function sumOver(answers: readonly Answer[], count: (answer: Answer) => number): number {
  return answers.reduce((total, answer) => total + count(answer), 0);
}

function measure(job: Job, answers: readonly Answer[], cachedTokens: number): TokenUsage {
  return {
    promptTokens: job.promptTokens,
    cachedTokens: Math.min(cachedTokens, job.promptTokens - 1),
    completionTokens: sumOver(answers, countAnswerTokens),
    reasoningTokens: sumOver(answers, (answer) => answer.reasoning.length),
  };
}

function reportUsage(usage: TokenUsage, faults: ReadonlySet<FaultName>): TokenUsage | null {
  if (faults.has('no-usage')) return null;
  return faults.has('over-report-usage') ? { ...usage, completionTokens: usage.completionTokens * OVER_REPORT_FACTOR } : usage;
}

async function sendStream(exchange: Exchange, frames: readonly Frame[], { task, faults }: Work<Generation>): Promise<Ending> {
  const { endpoint, response, scheduler, signal, random } = exchange;
  const cutAt = Math.max(1, Math.floor(frames.length * endpoint.cut));
  const isSlow = isSlowed(faults, task.job.maxTokens);
  if (!response.headersSent) response.writeHead(200, EVENT_STREAM);
  let dueAtMs = performance.now();
  for (const [index, frame] of frames.entries()) {
    if (index === 1 && faults.has('malformed-sse') && !(await writePiece(response, BROKEN_EVENT, signal))) return 'cancelled';
    if (index === cutAt && (faults.has('die-mid-stream') || faults.has('die-mid-event'))) {
      await writeAndDestroy(response, faults.has('die-mid-event') ? breakEvent(frame.text) : frame.text);
      return 'faulted';
    }
    if (index === cutAt && faults.has('hang-mid-stream')) {
      await scheduler.wait(Number.POSITIVE_INFINITY, signal);
      return 'faulted';
    }
    if (index === cutAt && faults.has('stall-mid-stream')) {
      if (!(await scheduler.wait(STALL_MS / endpoint.speed, signal))) return 'cancelled';
      dueAtMs = performance.now();
    }
    // The choices of one request are decoded side by side, so each step yields a token of every one of them.
    const paceMs = tpotMs(endpoint, isSlow) * drawLognormal(random, 1, PACE_SIGMA);
    dueAtMs += ((frame.tokens / task.sequences) * paceMs) / endpoint.speed;
    if (frame.tokens > 0) endpoint.tpot.observe(paceMs / 1000);
    const pauseMs = dueAtMs - performance.now();
    if (pauseMs > PAUSE_MS_MIN && !(await scheduler.wait(pauseMs, signal))) return 'cancelled';
    if (!(await writePiece(response, frame.text, signal))) return 'cancelled';
  }
  response.end();
  return faults.has('malformed-sse') ? 'faulted' : 'completed';
}

/** Takes the first part of an event: up to the middle of its first character of several bytes, or half of it. */
function breakEvent(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const wideAt = [...bytes].findIndex((byte: number) => byte >= FIRST_WIDE_BYTE);
  return bytes.subarray(0, wideAt === -1 ? Math.floor(bytes.length / 2) : wideAt + 1);
}

async function sendWhole(exchange: Exchange, body: string, { task, faults }: Work<Generation>): Promise<Ending> {
  const { endpoint, scheduler, signal } = exchange;
  const decodeSteps = sumOver(task.answers, countAnswerTokens) / task.sequences;
  const decodeMs = decodeSteps * tpotMs(endpoint, isSlowed(faults, task.job.maxTokens));
  if (!(await scheduler.wait(decodeMs / endpoint.speed, signal))) return 'cancelled';
  endpoint.tpot.observe(decodeMs / Math.max(1, decodeSteps) / 1000);
  return deliverWhole(exchange, { contentType: 'application/json', body }, faults);
}

function book({ endpoint }: Exchange, usage: TokenUsage, answers: readonly Answer[]): void {
  endpoint.counters.promptTokens += usage.promptTokens;
  endpoint.counters.cachedTokens += usage.cachedTokens;
  endpoint.counters.completionTokens += usage.completionTokens;
  for (const { finish } of answers) endpoint.finished.set(finish, (endpoint.finished.get(finish) ?? 0) + 1);
}
