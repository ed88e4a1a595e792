/** Turns what an upstream says about its failure into one of our failure kinds. Statuses first, wording where a status is ambiguous. */
import type { DialectTarget, Quirks } from '#providers/provider';
import type { AttemptFailure, AttemptFailureKind } from '#schema/attempt';
import { parseJson } from './json-object.ts';
import { readError, type ErrorPayload } from './read-error.ts';
import { readRetryAfterMs } from './retry-after.ts';
import { scrub } from './scrub.ts';
import { unquote } from './unquote.ts';

const CONTEXT_WORDS =
  /context[ _-]?(?:length|window|size)|max[ _]model[ _]len|(?:prompt|input|messages?|request)(?: is| are| was|_is)?[ _]too[ _](?:long|large)|too many (?:input |prompt )?tokens|exceeds? the (?:model'?s )?(?:maximum )?(?:number of )?(?:context|input|prompt|token)|string_too_long|token_limit_exceeded|reduce the length/i;
const FILTER_WORDS =
  /content[ _-]?(?:policy|filter|management|moderation)|moderation|safety (?:system|filter|policy|check)|\bflagged\b|responsible ?ai|(?:prohibited|inappropriate|sensitive) content|data_inspection_failed/i;
const OVERLOAD_WORDS =
  /overload|capacity|\bfull\b|\bbusy\b|server_busy|queue|rate[ _-]?limit|too many|throttl|no (?:available|healthy|free) |vault_unavailable|\bcold\b|warming|\bscaling\b|model is loading|loading model/i;
/** Our own words, in the place of a node that is not connected or takes nothing new. */
const AWAY_WORDS = /\bnode_(?:unlinked|draining|troubled)\b/;
const CREDENTIAL_WORDS =
  /(?:invalid|incorrect|wrong|missing|expired)[ _](?:x-)?api[ _-]?key|api[ _-]?key (?:is )?(?:not valid|invalid|expired)|authentication|unauthorized|permission_(?:error|denied)/i;
const UNFUNDED_WORDS =
  /insufficient[ _](?:quota|balance|credit|fund)|payment[ _]required|billing_(?:error|hard_limit)|out of (?:credits|funds)|x402/i;
const MODEL_WORDS =
  /model_not_(?:found|exist|supported)|unknown_model|invalid_model|provider_model_mismatch|no such model|model\b.{0,200}?(?:does not exist|not found|is not supported|unknown)/i;
const RATE_WORDS = /rate[ _-]?limit|too many requests|overloaded/i;
/** An engine that was started without what the request needs names the option: `requires --tool-call-parser to be set`. */
const UNEQUIPPED_WORDS = /\brequires? --[a-z]/;
const REJECTED_WORDS = /invalid_request|invalid_prompt|bad[ _]request|unprocessable|validation/i;

/**
 * Classes a non-2xx answer of any error family, or of none (HTML, empty).
 * `body` is at most 64 KiB; `nowMs` turns a Retry-After date into a delay. The detail is scrubbed and never repeats HTML.
 */
export function decodeHttpError(status: number, headers: Headers, body: string, target: DialectTarget, nowMs: number): AttemptFailure {
  const payload = withoutPrompt(readError(parseJson(body)) ?? { message: readPlainText(body), words: '', status: null }, target);
  const retryAfterMs = readRetryAfterMs(headers, nowMs);
  return {
    kind: kindOfStatus(status, `${payload.words} ${payload.message}`, target.quirks),
    origin: 'external',
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    detail: describe(payload, target) || `HTTP ${status}`,
  };
}

/** Classes an error that came inside a 200: by the status that it names, else by its wording. */
export function toInnerFailure(said: ErrorPayload, target: DialectTarget): AttemptFailure {
  const payload = withoutPrompt(said, target);
  const text = `${payload.words} ${payload.message}`;
  return {
    kind: payload.status === null ? kindOfWording(text) : kindOfStatus(payload.status, text, target.quirks),
    origin: 'external',
    ...(payload.status === null ? {} : { status: payload.status }),
    detail: describe(payload, target) || 'error inside a 200 answer',
  };
}

/** Makes the failure of an answer that breaks its own wire format. `detail` is ours: it never quotes the upstream. */
export function protocolFailure(detail: string): AttemptFailure {
  return { kind: 'protocol', origin: 'external', detail };
}

function kindOfStatus(status: number, text: string, quirks: Quirks): AttemptFailureKind {
  if (status >= 300 && status < 400) return 'redirect';
  if (status === 402 || quirks.unfundedStatuses?.includes(status) === true) return 'credential';
  if (status === 413) return 'context_exceeded';
  if (status === 404 || status === 410) return 'model_missing';
  // OpenAI says 429 for an empty account too; backing off would never heal it.
  if (status === 429) return UNFUNDED_WORDS.test(text) ? 'credential' : 'capacity';
  if (status === 401) return 'credential';
  if (status === 403) return FILTER_WORDS.test(text) ? 'content_filtered' : 'credential';
  if (status === 400 || status === 422) return kindOfRefusal(text);
  if (status === 529) return 'capacity';
  if (status === 503 && AWAY_WORDS.test(text)) return 'away';
  if (status === 503) return OVERLOAD_WORDS.test(text) ? 'capacity' : 'upstream_error';
  return 'upstream_error';
}

function kindOfRefusal(text: string): AttemptFailureKind {
  if (CONTEXT_WORDS.test(text)) return 'context_exceeded';
  if (FILTER_WORDS.test(text)) return 'content_filtered';
  // Google's and xAI's OpenAI routes answer 400 to a wrong key; Prime Intellect answers 400 or 422 to an unknown model.
  if (CREDENTIAL_WORDS.test(text)) return 'credential';
  if (UNEQUIPPED_WORDS.test(text)) return 'upstream_error';
  return MODEL_WORDS.test(text) ? 'model_missing' : 'rejected';
}

function kindOfWording(text: string): AttemptFailureKind {
  if (CONTEXT_WORDS.test(text)) return 'context_exceeded';
  if (UNFUNDED_WORDS.test(text) || CREDENTIAL_WORDS.test(text)) return 'credential';
  if (RATE_WORDS.test(text)) return 'capacity';
  if (FILTER_WORDS.test(text)) return 'content_filtered';
  if (MODEL_WORDS.test(text)) return 'model_missing';
  if (REJECTED_WORDS.test(text)) return 'rejected';
  return OVERLOAD_WORDS.test(text) ? 'capacity' : 'upstream_error';
}

/** Before anything is classed: words of a prompt must not decide whose fault a failure is (R9). */
function withoutPrompt({ message, words, status }: ErrorPayload, { request }: DialectTarget): ErrorPayload {
  return { message: unquote(message, request), words: unquote(words, request), status };
}

function describe(payload: ErrorPayload, target: DialectTarget): string {
  return scrub([payload.words, payload.message].filter((text) => text !== '').join(': '), target.key);
}

function readPlainText(body: string): string {
  const text = body.trimStart();
  if (!text.startsWith('<')) return text.startsWith('{') || text.startsWith('[') ? '' : text;
  return /<title[^>]{0,100}>([^<]{1,200})</i.exec(text.slice(0, 4096))?.[1] ?? 'HTML page instead of an answer';
}
