/** A `fetch` that answers from a script and behaves like the real one when it is aborted: no network, no time. */

/** What one call gets: an answer, no connection, or silence until it is aborted. */
export type Script = (body: ScriptedBody, call: ScriptedCall) => Response | 'refused' | 'silent';

/** Makes bodies whose end the test decides. All of them break when the call is aborted. */
export interface ScriptedBody {
  /** Sends these pieces, then ends, breaks, or stays open. */
  (pieces: readonly (string | Uint8Array)[], then: 'end' | 'break' | 'hang'): ReadableStream<Uint8Array>;
}

export interface ScriptedCall {
  url: string;
  headers: Headers;
  body: string;
  redirect: string | undefined;
  signal: AbortSignal;
  /** True when the reader cancelled the body. */
  bodyCancelled: boolean;
}

export interface ScriptedFetch {
  fetch: typeof fetch;
  /** Calls in order. */
  calls: ScriptedCall[];
}

/** Plays one script per call, in order; a call without a script is a test's mistake and is refused. */
export function scriptedFetch(...scripts: Script[]): ScriptedFetch {
  const calls: ScriptedCall[] = [];
  const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? new AbortController().signal;
    const call: ScriptedCall = {
      url: String(input),
      headers: new Headers(init.headers as Record<string, string>),
      body: typeof init.body === 'string' ? init.body : '',
      redirect: init.redirect,
      signal,
      bodyCancelled: false,
    };
    const script = scripts[calls.length];
    calls.push(call);
    signal.throwIfAborted();
    const answer = script?.((pieces, then) => bodyOf(pieces, then, call), call) ?? 'refused';
    if (answer === 'refused') throw new TypeError('connection refused');
    if (answer !== 'silent') return answer;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  return { fetch: fetch as typeof globalThis.fetch, calls };
}

function bodyOf(pieces: readonly (string | Uint8Array)[], then: 'end' | 'break' | 'hang', call: ScriptedCall): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        call.signal.addEventListener('abort', () => controller.error(call.signal.reason));
      },
      pull(controller) {
        const piece = pieces[sent++];
        if (piece !== undefined) controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
        else if (then === 'end') controller.close();
        else if (then === 'break') controller.error(new TypeError('connection reset'));
        else return new Promise<void>(() => undefined);
        return undefined;
      },
      cancel() {
        call.bodyCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
}

/** Answers with JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Script {
  return () => Response.json(body, { status, headers });
}

/** Answers with text of any content type. */
export function text(body: string, contentType: string, status = 200): Script {
  return (make) => new Response(make([body], 'end'), { status, headers: { 'content-type': contentType } });
}

/** Streams server-sent events: strings go out as `data:` events one read each, then the body ends, breaks or hangs. */
export function sse(events: readonly (string | object)[], then: 'end' | 'break' | 'hang' = 'end'): Script {
  const pieces = events.map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`));
  return (make) => new Response(make(pieces, then), { headers: { 'content-type': 'text/event-stream' } });
}

export const DONE = 'data: [DONE]\n\n';

/** One OpenAI chunk of choice 0. */
export function chunk(delta: object, finishReason: string | null = null, more: object = {}): object {
  return { id: 'up-1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finishReason }], ...more };
}

/** A whole OpenAI answer. */
export const ANSWER = {
  id: 'up-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
};
