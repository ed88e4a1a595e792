/** Takes what the caller wrote out of what an upstream says: validators like to quote their input, and prompts are never kept. */
import type { ChatRequest } from '#schema/chat';
import type { UnitBody } from '#schema/unit';
import { isJsonObject } from './json-object.ts';

/** A run of this many characters that stands in both texts is a quotation. */
const RUN_CHARS = 16;
/** Shorter texts are taken out whole; below this they are words that any message may use. */
const SHORT_CHARS_MIN = 6;
/** An error says what matters at its beginning; the rest is dropped. */
const ERROR_CHARS_MAX = 4000;
/** How much of a request is compared, from its end: the newest turns are quoted most. */
const REQUEST_CHARS_MAX = 400_000;
const MARK = '[text]';

/** Replaces every passage of `text` that the request contains with `[text]`. Linear in both; at most 4,000 characters come back. */
export function unquote(text: string, request: ChatRequest | UnitBody | undefined): string {
  if (request === undefined || text === '') return text;
  const said = text.slice(0, ERROR_CHARS_MAX);
  const isQuoted = new Uint8Array(said.length);
  const runs = runsOf(said);
  let left = REQUEST_CHARS_MAX;
  for (const written of textsOf(request)) {
    if (left <= 0) break;
    const compared = written.slice(0, left);
    left -= compared.length;
    if (compared.length < RUN_CHARS) markWhole(said, compared, isQuoted);
    else markRuns(runs, compared, isQuoted);
  }
  return withoutMarked(said, isQuoted);
}

function runsOf(said: string): Map<string, number[]> {
  const runs = new Map<string, number[]>();
  for (let at = 0; at + RUN_CHARS <= said.length; at++) {
    const run = said.slice(at, at + RUN_CHARS);
    const places = runs.get(run);
    if (places === undefined) runs.set(run, [at]);
    else places.push(at);
  }
  return runs;
}

function markRuns(runs: Map<string, number[]>, written: string, isQuoted: Uint8Array): void {
  for (let at = 0; at + RUN_CHARS <= written.length && runs.size > 0; at++) {
    const run = written.slice(at, at + RUN_CHARS);
    const places = runs.get(run);
    if (places === undefined) continue;
    for (const place of places) isQuoted.fill(1, place, place + RUN_CHARS);
    runs.delete(run);
  }
}

function markWhole(said: string, written: string, isQuoted: Uint8Array): void {
  if (written.trim().length < SHORT_CHARS_MIN) return;
  for (let at = said.indexOf(written); at >= 0; at = said.indexOf(written, at + written.length)) isQuoted.fill(1, at, at + written.length);
}

function withoutMarked(said: string, isQuoted: Uint8Array): string {
  let kept = '';
  for (let at = 0; at < said.length;) {
    const flag = isQuoted[at];
    let end = at + 1;
    while (end < said.length && isQuoted[end] === flag) end++;
    kept += flag === 1 ? MARK : said.slice(at, end);
    at = end;
  }
  return kept;
}

/** Everything in a request that people or their tools wrote. */
function textsOf(request: ChatRequest | UnitBody): Iterable<string> {
  return 'messages' in request ? textsOfChat(request) : textsOfUnit(request);
}

/** Newest first. */
function* textsOfChat({ messages }: ChatRequest): Iterable<string> {
  for (const message of messages.toReversed()) {
    const { content } = message;
    if (typeof content === 'string') yield content;
    else for (const part of content ?? []) if (typeof part['text'] === 'string') yield part['text'];
    if (message.role === 'assistant') for (const call of message.tool_calls ?? []) yield call.function.arguments;
  }
}

/** Fields of unit operations that hold what people wrote, not options. */
const WRITTEN_FIELDS = ['input', 'query', 'documents', 'prompt', 'instructions'];

function* textsOfUnit({ fields }: UnitBody): Iterable<string> {
  for (const written of WRITTEN_FIELDS.flatMap((field) => fields[field])) {
    if (typeof written === 'string') yield written;
    else if (isJsonObject(written) && typeof written['text'] === 'string') yield written['text'];
  }
}
