/** Reads a good answer to an attempt: whole, as a stream up to its first real event, or for a unit operation. */
import type { Dialect, DialectTarget, UnitCodec } from '#providers/provider';
import type { AttemptFailure } from '#schema/attempt';
import type { DecodedReply, ReplyStream, StreamEvent } from '#schema/reply';
import type { UnitBody, UnitReply } from '#schema/unit';
import { openEventStream } from './event-stream.ts';
import { openBytes } from './open-bytes.ts';
import { readCapped } from './read-capped.ts';
import { isReal } from './real-event.ts';
import type { Watchdog } from './watchdog.ts';

const REPLY_BYTES_MAX = 32 * 1024 * 1024;
/** Openings to hold back while waiting for content; more of them is a game. */
const PRELUDE_EVENTS_MAX = 64;

export type Opened = { kind: 'json'; reply: DecodedReply } | { kind: 'stream'; stream: ReplyStream } | { kind: 'unit'; reply: UnitReply };
export type AttemptResult = { opened: Opened } | { failure: AttemptFailure };

/** Names an answer's content type in lower case; empty when it has none. */
export function contentTypeOf(response: Response): string {
  return response.headers.get('content-type')?.toLowerCase() ?? '';
}

/** How an endpoint is spoken to. */
export interface Spoken {
  dialect: Dialect;
  target: DialectTarget;
}

/** Reads a JSON answer; for a streaming client it becomes a stream of one event, because some servers ignore `stream`. */
export async function readWhole(response: Response, { dialect, target }: Spoken, streams: boolean): Promise<AttemptResult> {
  const body = await readCapped(response, REPLY_BYTES_MAX);
  if (body.kind === 'too_large') return protocolFailure(response, 'an answer larger than the limit');
  if (body.text.trim() === '') return protocolFailure(response, 'an empty answer');
  const parsed = parseJson(body.text);
  if (parsed === undefined) return protocolFailure(response, 'an answer that is not JSON');
  const decoded = dialect.decodeReply(parsed, target);
  if ('failure' in decoded) return decoded;
  if (decoded.reply.choices.length === 0) return protocolFailure(response, 'an answer without choices');
  if (!isReal({ kind: 'chunk', ...decoded.reply })) return protocolFailure(response, 'an answer without content');
  return { opened: streams ? { kind: 'stream', stream: asStream(decoded.reply) } : { kind: 'json', reply: decoded.reply } };
}

/** How an endpoint is spoken to about a unit operation. */
export interface SpokenUnit {
  codec: UnitCodec;
  target: DialectTarget;
  asked: UnitBody;
}

/** Reads the answer to a unit operation; binary ones are passed on unread. */
export async function readUnit(response: Response, { codec, target, asked }: SpokenUnit, watchdog: Watchdog): Promise<AttemptResult> {
  const contentType = codec.binaryTypeOf?.(contentTypeOf(response), asked) ?? null;
  if (contentType !== null) {
    const stream = response.body && (await openBytes(response.body, watchdog));
    if (stream === null) return protocolFailure(response, 'an empty answer');
    const bytes = { contentType, stream };
    return { opened: { kind: 'unit', reply: { upstreamId: null, json: null, text: null, bytes, usage: null, units: null } } };
  }
  const body = await readCapped(response, REPLY_BYTES_MAX);
  if (body.kind === 'too_large') return protocolFailure(response, 'an answer larger than the limit');
  const decoded = codec.decodeReply(body.text, target, asked);
  return 'failure' in decoded ? decoded : { opened: { kind: 'unit', reply: decoded.reply } };
}

/** Reads events until one is real. Nothing has been promised to the client before that (commit rule). */
export async function openStream(response: Response, { dialect, target }: Spoken, watchdog: Watchdog): Promise<AttemptResult> {
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

/** Parses JSON; undefined when it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function protocolFailure(response: Response, detail: string): AttemptResult {
  return { failure: { kind: 'protocol', origin: 'external', status: response.status, detail } };
}
