/** One client: sends one request, reads what comes, and says how it ended. Throws nothing. */
import { createParser } from 'eventsource-parser';
import type { ChaosRequest } from './requests.ts';
import { DEADLINE_MS } from './teams.ts';
import { WIRES, type Told, type ToldUsage } from './wire.ts';

/**
 * How a request ended for its client. `refused`: the budget is spent; `failed`: an error before any text; `broken`: a typed error after
 * text; `left`: the client went away. An `untyped` end (a closed connection, half an answer) and `silent` ones should never happen.
 */
export type Ending = 'completed' | 'refused' | 'failed' | 'broken' | 'left' | 'untyped' | 'silent';

/** What one client saw. Times in milliseconds, `startedAtMs` from the start of the run. */
export interface Outcome {
  request: ChaosRequest;
  ending: Ending;
  generationId: string | null;
  status: number | null;
  startedAtMs: number;
  /** First text of a stream after the request; null without. */
  ttftMs: number | null;
  totalMs: number;
  text: string;
  finish: string | null;
  usage: ToldUsage | null;
  /** Which error it was, or how the connection ended. */
  error: string | null;
}

/** A client gives up after this long, half a minute after the router should have. */
const PATIENCE_MS = DEADLINE_MS + 30_000;
const BUDGET_SPENT_STATUS = 402;

/** Sends a request to the router at `origin`. `now` in milliseconds from the start of the run. */
export async function sendRequest(origin: string, request: ChaosRequest, now: () => number): Promise<Outcome> {
  const wire = WIRES[request.api];
  const controller = new AbortController();
  const patience = setTimeout(() => controller.abort(), PATIENCE_MS);
  const startedAtMs = now();
  const seen = { generationId: null as string | null, status: null as number | null, ttftMs: null as number | null };
  const answer = { text: '', finish: null as string | null, usage: null as ToldUsage | null, error: null as string | null };
  let pieces = 0;
  let hasError = false;
  let hasEnd = false;
  let hasLeft = false;

  const take = (told: Told): void => {
    if (told.text !== undefined) {
      seen.ttftMs ??= now() - startedAtMs;
      answer.text += told.text;
      pieces += 1;
    }
    answer.finish = told.finish ?? answer.finish;
    answer.usage = told.usage ?? answer.usage;
    if (told.error !== undefined) {
      hasError = true;
      answer.error = told.error.code;
    }
    hasEnd ||= told.isEnd === true;
    if (request.leavesAfter !== null && pieces >= request.leavesAfter && !hasEnd) {
      hasLeft = true;
      controller.abort();
    }
  };
  const end = (): Ending => {
    if (hasLeft) return 'left';
    if (controller.signal.aborted) return 'silent';
    if (hasError && answer.error !== null) {
      if (seen.status === BUDGET_SPENT_STATUS) return 'refused';
      return answer.text === '' ? 'failed' : 'broken';
    }
    return hasEnd && !hasError && answer.finish !== null ? 'completed' : 'untyped';
  };

  try {
    const response = await fetch(origin + wire.path, {
      method: 'POST',
      headers: { authorization: `Bearer ${request.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(wire.bodyOf(request)),
      signal: controller.signal,
    });
    seen.status = response.status;
    seen.generationId = response.headers.get('x-generation-id');
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isStream && response.body !== null) await readEvents(response.body, ({ data }) => take(wire.readEvent(data)));
    else take(wire.readWhole(await response.json()));
  } catch (error) {
    if (!controller.signal.aborted) answer.error ??= error instanceof Error ? describe(error) : String(error);
  } finally {
    clearTimeout(patience);
  }
  return {
    request,
    ...seen,
    ...answer,
    ttftMs: request.streaming ? seen.ttftMs : null,
    startedAtMs,
    totalMs: now() - startedAtMs,
    ending: end(),
  };
}

async function readEvents(body: ReadableStream<Uint8Array>, onEvent: (event: { data: string }) => void): Promise<void> {
  const parser = createParser({ onEvent });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(decoder.decode(value as Uint8Array, { stream: true }));
  }
}

/** Says what broke a connection; Node hides it one level down. */
function describe(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause === '' ? error.message : `${error.message}: ${cause}`;
}
