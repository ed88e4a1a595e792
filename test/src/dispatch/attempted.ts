/** Makes one attempt at a scripted upstream, under a watchdog whose clock stands still. */
import type { AttemptFailure } from '#schema/attempt';
import type { ChatRequest } from '#schema/chat';
import type { StreamEvent } from '#schema/reply';
import { RUNTIME_TIMERS } from '#schema/timers';
import { attempt } from '#src/dispatch/attempt';
import type { AttemptResult } from '#src/dispatch/read-answer';
import { createWatchdog } from '#src/dispatch/watchdog';
import { NOW_MS } from '#test/support/fake-clock';
import { offerOf, requestOf } from '#test/support/offers';
import { chunk, scriptedFetch, type Script } from '#test/support/scripted-fetch';

export const FIRST_TOKEN_MS = 4000;
const DEADLINE_MS = 30_000;
export const TARGET = {
  url: 'https://a.example/v1',
  upstreamModel: 'm',
  quirks: {},
  auth: 'bearer',
  headers: {},
  key: 'sk-test-key-1234567890',
  maxOutput: null,
} as const;

/** Begins one attempt; `call` gives what the upstream saw. */
export function start(script: Script, stream: boolean, over: Partial<ChatRequest> = {}) {
  const upstream = scriptedFetch(script);
  const client = new AbortController();
  const watchdog = createWatchdog({
    now: Date.now,
    timers: RUNTIME_TIMERS,
    firstTokenTimeoutMs: FIRST_TOKEN_MS,
    deadlineAtMs: NOW_MS + DEADLINE_MS,
    clientSignal: client.signal,
  });
  const statuses: number[] = [];
  const result = attempt(
    {
      ask: { kind: 'chat', request: requestOf({ stream, ...over }), native: undefined },
      offer: offerOf('a'),
      target: TARGET,
      watchdog,
      onHeaders: (status) => statuses.push(status),
    },
    { fetch: upstream.fetch, now: Date.now },
  );
  return { result, client, watchdog, statuses, call: () => upstream.calls[0]! };
}

/** Makes one attempt and waits for its result. */
export const run = (script: Script, stream = false): Promise<AttemptResult> => start(script, stream).result;

/** Gives the failure of a result; throws when it opened. */
export function failureOf(result: AttemptResult): AttemptFailure {
  if ('opened' in result) throw new Error(`opened a ${result.opened.kind}`);
  return result.failure;
}

/** Reads all events of an opened stream. */
export async function eventsOf(result: AttemptResult): Promise<StreamEvent[]> {
  if ('failure' in result || result.opened.kind !== 'stream') throw new Error('no stream');
  const events: StreamEvent[] = [];
  for (let batch = await result.opened.stream.next(); batch !== null; batch = await result.opened.stream.next()) events.push(...batch);
  return events;
}

export const ROLE = chunk({ role: 'assistant', content: '' });
export const ERROR = { error: { message: 'overloaded', code: 503 } };
