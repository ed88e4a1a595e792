/** One upstream call up to the point of no return: the whole JSON answer, or the first real event of a stream. */
import type { Dialect, DialectTarget } from '#providers/provider';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatRequest } from '#schema/chat';
import type { DecodedReply, ReplyStream, StreamEvent } from '#schema/reply';
import { openEventStream } from './event-stream.ts';
import { readCapped } from './read-capped.ts';
import { isReal } from './real-event.ts';
import type { Watchdog } from './watchdog.ts';

const REPLY_BYTES_MAX = 32 * 1024 * 1024;
const ERROR_BYTES_MAX = 64 * 1024;
/** Openings to hold back while waiting for content; more of them is a game. */
const PRELUDE_EVENTS_MAX = 64;

export interface AttemptOrder {
  request: ChatRequest;
  dialect: Dialect;
  target: DialectTarget;
  watchdog: Watchdog;
  onHeaders(status: number): void;
}

export type Opened = { kind: 'json'; reply: DecodedReply } | { kind: 'stream'; stream: ReplyStream };
export type AttemptResult = { opened: Opened } | { failure: AttemptFailure };

/** Calls the upstream once. Every way of failing comes back as a value; the connection is released on failure. */
export async function attempt(order: AttemptOrder, ports: { fetch: typeof fetch; now(): number }): Promise<AttemptResult> {
  const { dialect, target, watchdog } = order;
  let response: Response;
  try {
    const encoded = dialect.encodeRequest(order.request, target);
    response = await ports.fetch(encoded.url, {
      method: 'POST',
      headers: encoded.headers,
      body: encoded.body,
      redirect: 'manual',
      signal: watchdog.signal,
    });
  } catch {
    return { failure: watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'no connection to the endpoint' } };
  }
  order.onHeaders(response.status);

  try {
    if (response.status >= 300 && response.status < 400)
      return await refuse(response, { kind: 'redirect', detail: 'redirects are not followed' });
    if (!response.ok) {
      const text = await readErrorText(response, watchdog);
      return { failure: dialect.decodeError(response.status, response.headers, text, target, ports.now()) };
    }
    const contentType = response.headers.get('content-type')?.toLowerCase() ?? '';
    if (contentType.includes('text/html')) return await refuse(response, { kind: 'protocol', detail: 'HTML where an answer was expected' });
    if (order.request.stream !== true || contentType.includes('application/json')) return await readWhole(response, order);
    return await openStream(response, order);
  } catch {
    return {
      failure: watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'the connection broke before the answer was whole' },
    };
  }
}

/** Reads what an error answer says. The status classes it even when its body breaks off or is too large. */
async function readErrorText(response: Response, watchdog: Watchdog): Promise<string> {
  try {
    const body = await readCapped(response, ERROR_BYTES_MAX);
    return body.kind === 'text' ? body.text : '';
  } catch (error) {
    if (watchdog.verdict() !== null) throw error;
    return '';
  }
}

/** Reads a JSON answer; for a streaming client it becomes a stream of one event, because some servers ignore `stream`. */
async function readWhole(response: Response, { request, dialect, target }: AttemptOrder): Promise<AttemptResult> {
  const body = await readCapped(response, REPLY_BYTES_MAX);
  if (body.kind === 'too_large') return protocolFailure(response, 'an answer larger than the limit');
  if (body.text.trim() === '') return protocolFailure(response, 'an empty answer');
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.text);
  } catch {
    return protocolFailure(response, 'an answer that is not JSON');
  }
  const decoded = dialect.decodeReply(parsed, target);
  if ('failure' in decoded) return decoded;
  if (decoded.reply.choices.length === 0) return protocolFailure(response, 'an answer without choices');
  return { opened: request.stream === true ? { kind: 'stream', stream: asStream(decoded.reply) } : { kind: 'json', reply: decoded.reply } };
}

/** Reads events until one is real. Nothing has been promised to the client before that (commit rule). */
async function openStream(response: Response, { dialect, target, watchdog }: AttemptOrder): Promise<AttemptResult> {
  if (response.body === null) return protocolFailure(response, 'an empty answer');
  const stream = openEventStream(response.body, dialect.createStreamDecoder(target), watchdog);
  let prelude: StreamEvent[] = [];
  for (;;) {
    const events = await stream.next();
    if (events === null) return protocolFailure(response, 'a stream that ended without content');
    prelude = prelude.length === 0 ? [...events] : prelude.concat(events);
    const silentEvents = prelude.findIndex(isReal);
    if (silentEvents !== -1 && silentEvents <= PRELUDE_EVENTS_MAX)
      return { opened: { kind: 'stream', stream: withPrelude(prelude, stream) } };

    const broken = prelude.find((event) => event.kind === 'failure');
    if (broken !== undefined) return { failure: watchdog.verdict() ?? broken.failure };
    if (prelude.length > PRELUDE_EVENTS_MAX || prelude.some((event) => event.kind === 'done')) {
      stream.cancel();
      return protocolFailure(response, 'a stream without content');
    }
  }
}

function withPrelude(prelude: readonly StreamEvent[], rest: ReplyStream): ReplyStream {
  let opening: readonly StreamEvent[] | null = prelude;
  return {
    next() {
      if (opening === null) return rest.next();
      const events = opening;
      opening = null;
      return Promise.resolve(events);
    },
    cancel: rest.cancel,
  };
}

function asStream(reply: DecodedReply): ReplyStream {
  const choices = reply.choices.map(({ message, ...choice }) => ({
    ...choice,
    ...(message === undefined ? {} : { delta: withToolIndexes(message) }),
  }));
  let events: readonly StreamEvent[] | null = [
    { kind: 'chunk', upstreamId: reply.upstreamId, choices, usage: reply.usage, extra: reply.extra },
    { kind: 'done' },
  ];
  return {
    next() {
      const taken = events;
      events = null;
      return Promise.resolve(taken);
    },
    cancel() {},
  };
}

/** Stream deltas number their tool calls; whole messages need not. */
function withToolIndexes<M extends { tool_calls?: object[] }>(message: M): M {
  return message.tool_calls === undefined
    ? message
    : { ...message, tool_calls: message.tool_calls.map((call, index) => ({ index, ...call })) };
}

async function refuse(response: Response, failure: Pick<AttemptFailure, 'kind' | 'detail'>): Promise<AttemptResult> {
  await response.body?.cancel().catch(() => undefined);
  return { failure: { ...failure, origin: 'external', status: response.status } };
}

function protocolFailure(response: Response, detail: string): AttemptResult {
  return { failure: { kind: 'protocol', origin: 'external', status: response.status, detail } };
}
