/** Reads answers in OpenAI's chat format, whole or event by event. One `JSON.parse` an event; shapes are checked by hand. */
import type { DialectTarget, StreamDecoder } from '#providers/provider';
import { protocolFailure, toInnerFailure } from '#providers/wire/decode-error';
import { isJsonObject, parseJson, type JsonObject } from '#providers/wire/json-object';
import { readError } from '#providers/wire/read-error';
import { findUsage, readUsage } from '#providers/wire/read-usage';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import type { DecodedReply, StreamEvent } from '#schema/reply';
import { toAnswerRules, type AnswerRules, type Reshape } from './answer-rules.ts';
import { nameCalls } from './decode-calls.ts';
import { normalizeChoice } from './decode-choice.ts';
import { createEchoFilter } from './filter-echo.ts';
import { createCallNumbers } from './number-calls.ts';

/** Top-level fields that the router writes itself, or that no upstream may set. */
const NOT_EXTRA: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'error',
  'provider',
  'x_groq',
  'openrouter_metadata',
  'headrace',
  '__proto__',
]);

const IGNORED: StreamEvent = { kind: 'ignore' };
const DONE: StreamEvent = { kind: 'done' };

/** Decodes a whole 200 answer. An error inside, no choices or a broken choice is a failure. */
export function decodeOpenAiReply(
  body: unknown,
  target: DialectTarget,
  reshape: Reshape | null = null,
): { reply: DecodedReply } | { failure: AttemptFailure } {
  const error = readError(body);
  if (error !== null) return { failure: toInnerFailure(error, target) };
  if (!isJsonObject(body)) return { failure: protocolFailure('the answer is not a JSON object') };
  const choices = body['choices'];
  if (!Array.isArray(choices) || choices.length === 0) return { failure: protocolFailure('the answer has no choices') };
  const rules = toAnswerRules(target, reshape);
  const usage = readUsage(findUsage(body, target.quirks), target.quirks);
  const failure = normalizeChoices(choices, 'message', rules);
  if (failure !== null) return { failure };
  const upstreamId = readId(body);
  nameCalls(choices as ChatChoice[], upstreamId);
  return { reply: { upstreamId, choices: choices as ChatChoice[], usage, extra: readExtra(body, rules) ?? {} } };
}

/** Creates the decoder of one stream. After `[DONE]` everything is ignored. */
export function createOpenAiStreamDecoder(target: DialectTarget, reshape: Reshape | null = null): StreamDecoder {
  const rules = toAnswerRules(target, reshape);
  const numberCalls = createCallNumbers();
  const isEcho = createEchoFilter(target);
  let done = false;
  return {
    decode(data, eventName) {
      if (done) return IGNORED;
      if (data === '[DONE]' || data.trim() === '[DONE]') {
        done = true;
        return DONE;
      }
      const event = decodeEvent(data, eventName, rules);
      if (event.kind !== 'chunk') return event;
      numberCalls(event.choices, event.upstreamId);
      return isEcho(event) ? IGNORED : event;
    },
  };
}

function decodeEvent(data: string, eventName: string | undefined, rules: AnswerRules): StreamEvent {
  const event = parseJson(data);
  const isError = eventName === 'error';
  // Proxies send heartbeats as named events; only errors and plain messages mean something here.
  if (eventName !== undefined && eventName !== '' && eventName !== 'message' && !isError && !hasChoices(event)) return IGNORED;
  if (!isJsonObject(event)) return failed(protocolFailure('an event is not a JSON object'));
  const choices = event['choices'];
  if (isError || !Array.isArray(choices) || isErrorLike(event['error'])) {
    const error = readError(event);
    if (error !== null) return failed(toInnerFailure(error, rules.target));
    if (isError) return failed(toInnerFailure({ message: '', words: '', status: null }, rules.target));
    if (choices !== undefined || !isJsonObject(event['usage'])) return failed(protocolFailure('an event has no choices'));
  }
  const rawUsage = findUsage(event, rules.quirks);
  const usage = rawUsage === null ? null : readUsage(rawUsage, rules.quirks);
  const list: unknown[] = Array.isArray(choices) ? choices : [];
  const failure = normalizeChoices(list, 'delta', rules);
  if (failure !== null) return failed(failure);
  return { kind: 'chunk', upstreamId: readId(event), choices: list as ChatChoice[], usage, extra: readExtra(event, rules) };
}

function normalizeChoices(choices: unknown[], field: 'delta' | 'message', rules: AnswerRules): AttemptFailure | null {
  for (let position = 0; position < choices.length; position += 1) {
    const failure = normalizeChoice(choices[position], position, field, rules);
    if (failure !== null) return failure;
  }
  return null;
}

function readExtra(body: JsonObject, rules: AnswerRules): Record<string, unknown> | null {
  let extra: Record<string, unknown> | null = null;
  for (const field in body) {
    const value = body[field];
    // Nulls say nothing, and `system_fingerprint: null` in a stream breaks strict clients.
    if (value === null || NOT_EXTRA.has(field) || rules.stripped.includes(field)) continue;
    extra ??= {};
    extra[field] = value;
  }
  return extra;
}

function readId(body: JsonObject): string | null {
  const id = body['id'];
  return typeof id === 'string' && id !== '' && id.length <= 256 ? id : null;
}

function hasChoices(event: unknown): boolean {
  return isJsonObject(event) && (Array.isArray(event['choices']) || isErrorLike(event['error']));
}

function isErrorLike(error: unknown): boolean {
  return isJsonObject(error) || (typeof error === 'string' && error !== '');
}

function failed(failure: AttemptFailure): StreamEvent {
  return { kind: 'failure', failure };
}
