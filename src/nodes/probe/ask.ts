/** One bounded question to an endpoint: in time, in bytes, without redirects, and never HTML. */
import { readAtMost } from '#schema/read-at-most';
import type { SaidChat } from '#schema/said-chat';
import { headersOf, type ProbeRun } from './target.ts';

/** Less time than this is not worth beginning anything in. */
const WORTHWHILE_MS = 50;
/** Code of a NodeLink’s answer while its node is not connected, and how long such an answer may be. */
const UNLINKED = '"node_unlinked"';
const REFUSAL_BYTES_MAX = 4_096;
const JSON_BYTES_MAX = 512 * 1024;
export const TEXT_BYTES_MAX = 2 * 1024 * 1024;

/** Why there is no answer. `busy`: it has no room now. `refused`: it does not do that, by its status. `out_of_time`: we had no time left to ask. */
export type NoAnswerKind =
  | 'out_of_time'
  | 'timeout'
  | 'unreachable'
  | 'redirect'
  | 'html'
  | 'too_large'
  | 'busy'
  | 'refused'
  | 'broken'
  | 'not_json';

export interface NoAnswer {
  ok: false;
  kind: NoAnswerKind;
  status: number | null;
}

export type Answer<Value> = { ok: true; value: Value; headers: Headers } | NoAnswer;

/** A page to be read, or something that is said. */
export type Question = ({ url: string } | SaidChat) & { timeoutMs: number };

/** Puts why there is no answer into a few words. */
export function describeNoAnswer({ kind, status }: NoAnswer): string {
  switch (kind) {
    case 'out_of_time':
      return 'not asked: out of time';
    case 'timeout':
      return 'no answer in time';
    case 'unreachable':
      return 'cannot be reached';
    case 'redirect':
      return 'a redirect, which is not followed';
    case 'html':
      return 'a web page';
    case 'too_large':
      return 'an answer that is too large';
    case 'not_json':
      return 'an answer that is no JSON';
    case 'busy':
    case 'refused':
    case 'broken':
      return status === null ? 'an answer that broke off' : `HTTP ${status}`;
    default:
      return kind satisfies never;
  }
}

/** Asks for JSON. */
export async function askJson(run: ProbeRun, question: Question): Promise<Answer<unknown>> {
  const answer = await askText(run, question, JSON_BYTES_MAX);
  if (!answer.ok) return answer;
  try {
    return { ...answer, value: JSON.parse(answer.value) as unknown };
  } catch {
    return no('not_json', null);
  }
}

/** Asks for text of at most `bytesMax`. */
export function askText(run: ProbeRun, question: Question, bytesMax: number): Promise<Answer<string>> {
  return ask(run, question, async (response) => {
    const text = await readAtMost(response, bytesMax);
    return text === null ? no('too_large', response.status) : { ok: true, value: text, headers: response.headers };
  });
}

/**
 * Asks, and lets `read` read a good answer. When time is up, the call is aborted and `read` sees its body break; what it makes of that is the
 * answer, and where it makes nothing of it, `timeout` is.
 */
export async function ask<Value>(
  run: ProbeRun,
  { timeoutMs, ...question }: Question,
  read: (response: Response) => Promise<Answer<Value>>,
): Promise<Answer<Value>> {
  const leftMs = Math.min(timeoutMs, run.deadlineAtMs - run.now());
  if (leftMs < WORTHWHILE_MS) return no('out_of_time', null);
  const abort = new AbortController();
  let expire: (answer: NoAnswer) => void = () => undefined;
  const expired = new Promise<NoAnswer>((resolve) => (expire = resolve));
  const timer = run.timers.set(() => {
    abort.abort();
    // A port that does not listen to the signal must not hold the probe up; one that does is heard first.
    run.timers.set(() => expire(no('timeout', null)), 0);
  }, leftMs);

  const answered = (async (): Promise<Answer<Value>> => {
    try {
      const said = 'body' in question ? question : null;
      const response = await run.fetch(question.url, {
        method: said === null ? 'GET' : 'POST',
        headers: said?.headers ?? headersOf(run.target, false),
        ...(said !== null && { body: said.body }),
        redirect: 'manual',
        signal: abort.signal,
      });
      const refusal = refusalOf(response);
      if (refusal === null) return await read(response);
      // A link answers for a request that we have left.
      if (abort.signal.aborted) return no('timeout', null);
      if (refusal.kind === 'busy') return (await isUnlinked(response)) ? no('unreachable', null) : refusal;
      await response.body?.cancel();
      return refusal;
    } catch {
      return no(abort.signal.aborted ? 'timeout' : 'unreachable', null);
    }
  })();
  try {
    return await Promise.race([answered, expired]);
  } finally {
    run.timers.clear(timer);
  }
}

/** Reads a body piece by piece; whoever stops early cancels the rest. */
export async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** A link that is gone answers 503 in the place of its node; that is no lack of room. */
async function isUnlinked(response: Response): Promise<boolean> {
  return (await readAtMost(response, REFUSAL_BYTES_MAX))?.includes(UNLINKED) === true;
}

function refusalOf(response: Response): NoAnswer | null {
  const { status } = response;
  if (status >= 300 && status < 400) return no('redirect', status);
  if (status === 429 || status === 503) return no('busy', status);
  if (status >= 500) return no('broken', status);
  if (status >= 400) return no('refused', status);
  if (response.headers.get('content-type')?.includes('text/html') === true) return no('html', status);
  return null;
}

function no(kind: NoAnswerKind, status: number | null): NoAnswer {
  return { ok: false, kind, status };
}
