/** Engines that say the same to the same prompt wherever they stand, and break where a test says so; one request dispatched along them. */
import type { Attempt, AttemptFailure } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { PlanRejection } from '#schema/receipt';
import type { ReplyChunk, StreamEvent } from '#schema/reply';
import { attempt } from '#src/dispatch/attempt';
import { dispatch, type Reply } from '#src/dispatch/dispatch';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';
import type { DispatchOrder } from '#src/dispatch/order';
import type { RetryBudget } from '#src/dispatch/retry-budget';
import type { FlightEnd, Health } from '#src/health/health';
import { whyFull } from '#src/routing/room';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';
import { factsOf, offerOf, requestOf } from '#test/support/offers';
import { seededRandom } from '#test/support/random-chunks';
import { candidateOf } from './candidates.ts';

/**
 * How one call ends before its time; `at` is the share of its bytes, or of its events, that still come. One that is `silent` never answers,
 * one that hangs falls silent in the middle.
 */
export type Trouble = Break | { kind: 'silent' | 'refuses' } | null;

interface Break {
  kind: 'reset' | 'end' | 'error' | 'hang';
  at: number;
}

/** What an engine was asked. */
export interface EngineCall {
  endpoint: string;
  path: string;
  body: Record<string, unknown>;
  /** What it was given to go on from; empty where it began. */
  prefix: string;
}

export interface EngineOptions {
  /** The answer, token by token; a token may be half a character. */
  tokens: readonly string[];
  /** One for each call, in order; none for calls beyond. */
  troubles?: readonly Trouble[];
  /** Usage comes with every token. */
  running?: boolean;
  /** Seeds the cutting of bytes; whole when absent. */
  seed?: number;
  /** Rewrites the chunks of a call, for engines with manners of their own. */
  rewrite?(chunks: object[], call: EngineCall): object[];
}

/** Creates a `fetch` in front of such engines; endpoints are the hosts' names. */
export function engines({ tokens, troubles = [], running = false, seed, rewrite = (chunks) => chunks }: EngineOptions) {
  const calls: EngineCall[] = [];
  const fetchEngine = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const { hostname, pathname } = new URL(String(input));
    const asked = JSON.parse(init.body as string) as Record<string, unknown>;
    const call = { endpoint: hostname.split('.')[0] ?? '', path: pathname, body: asked, prefix: prefixOf(asked) };
    const trouble = troubles[calls.length] ?? null;
    calls.push(call);
    if (trouble !== null && !('at' in trouble)) {
      if (trouble.kind === 'refuses')
        return Response.json({ error: { message: 'messages: the last one must be a user' } }, { status: 400 });
      return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    }
    const frames = rewrite(chunksOf(tokens, call, running), call).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    const body = bodyOf([...frames, 'data: [DONE]\n\n'], { trouble, signal: init.signal, seed: seed && seed + calls.length });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  return { fetch: fetchEngine as typeof fetch, calls };
}

function prefixOf({ continue_final_message: continues, messages, prompt }: Record<string, unknown>): string {
  if (typeof prompt === 'string') return prompt.slice('Prompt:'.length);
  return continues === true ? ((messages as ChatRequest['messages']).at(-1)?.content as string) : '';
}

/** Generates what an unbroken engine would: the rest of the text, cut by stop sequences and limit. */
export function generate(
  tokens: readonly string[],
  { body, prefix }: Pick<EngineCall, 'body' | 'prefix'>,
): { said: string[]; finish: string } {
  if (!tokens.join('').startsWith(prefix)) throw new Error(`asked to go on from what was never said: ${JSON.stringify(prefix)}`);
  let skip = prefix.length;
  const rest = tokens.flatMap((token) => {
    const left = token.slice(skip);
    skip = Math.max(0, skip - token.length);
    return left === '' ? [] : [left];
  });
  const text = rest.join('');
  const stops = [(body['stop'] ?? []) as string | string[]].flat().map((stop) => text.indexOf(stop));
  const end = Math.min(text.length, ...stops.filter((at) => at >= 0));
  let room = end;
  const whole = rest.flatMap((token) => {
    const kept = token.slice(0, room);
    room -= kept.length;
    return kept === '' ? [] : [kept];
  });
  const limit = (body['max_tokens'] as number | undefined) ?? Infinity;
  return whole.length > limit ? { said: whole.slice(0, limit), finish: 'length' } : { said: whole, finish: 'stop' };
}

function chunksOf(tokens: readonly string[], call: EngineCall, running: boolean): object[] {
  const { said, finish } = generate(tokens, call);
  const isRaw = call.path.endsWith('/completions') && !call.path.endsWith('/chat/completions');
  const usage = (count: number) => ({ prompt_tokens: 10, completion_tokens: count, total_tokens: 10 + count });
  const id = `up-${call.endpoint}`;
  const choice = (content: string, reason: string | null) =>
    isRaw
      ? { index: 0, text: content, finish_reason: reason }
      : { index: 0, delta: content === '' ? {} : { content }, finish_reason: reason };
  return [
    ...(isRaw ? [] : [{ id, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }]),
    ...said.map((token, place) => ({ id, choices: [choice(token, null)], ...(running && { usage: usage(place + 1) }) })),
    { id, choices: [choice('', finish)] },
    { id, choices: [], usage: usage(said.length) },
  ];
}

interface Sending {
  trouble: Break | null;
  signal: AbortSignal | null | undefined;
  seed: number | undefined;
}

function bodyOf(frames: readonly string[], { trouble, signal, seed }: Sending): ReadableStream<Uint8Array> {
  const events = trouble?.kind === 'error' ? [...frames.slice(0, Math.floor(trouble.at * frames.length)), FAILURE] : frames;
  const bytes = new TextEncoder().encode(events.join(''));
  const sent = trouble === null || trouble.kind === 'error' ? bytes : bytes.slice(0, Math.floor(trouble.at * bytes.length));
  const pieces = seed === undefined ? [sent] : chop(sent, seed);
  let next = 0;
  return new ReadableStream({
    start(controller) {
      if (trouble?.kind === 'hang') signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
    },
    pull(controller) {
      const piece = pieces[next++];
      if (piece !== undefined && piece.length > 0) controller.enqueue(piece);
      else if (trouble?.kind === 'reset') controller.error(new TypeError('connection reset'));
      else if (trouble?.kind === 'hang') return new Promise<void>(() => undefined);
      else controller.close();
      return undefined;
    },
  });
}

/** Cuts bytes anywhere, in the middle of code points too. */
function chop(bytes: Uint8Array, seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + Math.floor(random() * PIECE_BYTES_MAX);
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

const PIECE_BYTES_MAX = 400;
const FAILURE = `data: ${JSON.stringify({ error: { message: 'the worker died', code: 500 } })}\n\n`;

/** Endpoints of one model that can go on with answers, each of its own operator. */
export const ENDPOINTS: readonly Offer[] = ['a', 'b', 'c', 'd', 'e'].map((id) => offerOf(id, { capabilities: new Set(['continuation']) }));

export interface Run {
  request?: Partial<ChatRequest>;
  offers?: readonly Offer[];
  order?: Partial<DispatchOrder>;
  /** Retries left in a budget of its own, or a budget that it shares. */
  retries?: number;
  retryBudget?: RetryBudget;
  native?: Record<string, unknown>;
  /** One that stands still by default: an attempt that nobody books keeps its timer, and it must not ring in another test. */
  clock?: Pick<ManualClock, 'now' | 'timers'>;
}

/** Dispatches one stream along the engines. */
export async function begin(options: EngineOptions, run: Run = {}) {
  const { request = {}, offers = ENDPOINTS, order = {}, retries = Infinity, retryBudget, native, clock = createManualClock() } = run;
  const upstream = engines(options);
  const trail: Attempt[] = [];
  const skipped: PlanRejection[] = [];
  const ended: (FlightEnd & { endpointId: string })[] = [];
  /** All that dispatch asks of health. */
  const health: Pick<Health, 'begin' | 'tryAcquireProbe' | 'view'> = {
    begin: ({ endpointId }) => ({ firstToken() {}, nodeLoad() {}, end: (result) => void ended.push({ endpointId, ...result }) }),
    tryAcquireProbe: () => true,
    view: () => ({ read: () => undefined, lastServed: () => null }),
  };
  const client = new AbortController();
  let paid = retries;
  const asked = requestOf({ stream: true, ...request });
  const result = await dispatch(
    {
      candidates: offers.map((offer) => candidateOf(offer)),
      ask: { kind: 'chat', request: asked, native: native && { dialect: 'openai-completions', body: native } },
      facts: factsOf({ stream: true, maxTokens: asked.max_tokens ?? null }),
      maxAttempts: 5,
      allowFallbacks: true,
      fixedOrder: false,
      hedge: false,
      resume: true,
      deadlineAtMs: Infinity,
      clientSignal: client.signal,
      trail,
      skipped,
      ...order,
    },
    {
      call: (asked) => attempt(asked, { fetch: upstream.fetch, now: clock.now }),
      now: clock.now,
      timers: clock.timers,
      secret: () => undefined,
      health: health as Health,
      retryBudget: retryBudget ?? { deposit() {}, withdraw: () => paid-- > 0 },
      hedgeBudget: createHedgeBudget(),
      whyFull,
    },
  );
  if ('error' in result) throw result.error;
  return { reply: result.reply, calls: upstream.calls, trail, skipped, client, ended };
}

/** What a client makes of a stream. */
export interface Heard {
  text: string;
  reasoning: string;
  finish: string | null;
  failure: AttemptFailure | null;
  seams: number;
  chunks: ReplyChunk[];
}

/** Reads a reply to its end, as the relay does. */
export async function hear({ opened }: Reply): Promise<Heard> {
  if (opened.kind !== 'stream') throw new Error('no stream');
  const heard: Heard = { text: '', reasoning: '', finish: null, failure: null, seams: 0, chunks: [] };
  for (;;) {
    const events = await opened.stream.next();
    if (events === null) return heard;
    for (const event of events) {
      note(event, heard);
      if (event.kind === 'done' || event.kind === 'failure') return heard;
    }
  }
}

function note(event: StreamEvent, heard: Heard): void {
  if (event.kind === 'seam') heard.seams += 1;
  if (event.kind === 'failure') heard.failure = event.failure;
  if (event.kind !== 'chunk') return;
  heard.chunks.push(event);
  for (const { delta, finish_reason: reason } of event.choices) {
    heard.text += delta?.content ?? '';
    heard.reasoning += delta?.reasoning ?? '';
    heard.finish ??= reason;
  }
}

/** Dispatches one stream and reads it to its end. */
export async function resume(options: EngineOptions, run: Run = {}) {
  const begun = await begin(options, run);
  return { ...begun, heard: await hear(begun.reply) };
}
