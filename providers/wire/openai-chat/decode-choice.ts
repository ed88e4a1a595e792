/** Brings one upstream choice into the common shape, in place: this runs for every event of every stream. */
import { toInnerFailure, protocolFailure } from '#providers/wire/decode-error';
import { toFinishReason } from '#providers/wire/finish-reason';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { markDetails } from '#providers/wire/mark-details';
import { readError } from '#providers/wire/read-error';
import type { AttemptFailure } from '#schema/attempt';
import type { AnswerRules } from './answer-rules.ts';
import { normalizeToolCalls } from './decode-calls.ts';
import { completeLogprobs } from './decode-logprobs.ts';

/** Fields that some engines fill with null and OpenRouter's SDK wants absent. */
const NEVER_NULL = ['tool_calls', 'reasoning_details', 'audio', 'images'] as const;

/**
 * Normalises a choice whose text is in `field`; null when all is well.
 * Renames reasoning, maps the finish reason (native kept beside it), drops nulls that clients refuse and what the card strips.
 */
export function normalizeChoice(choice: unknown, position: number, field: 'delta' | 'message', rules: AnswerRules): AttemptFailure | null {
  if (!isJsonObject(choice)) return protocolFailure('a choice is not an object');
  rules.reshape?.(choice, field);
  if (isJsonObject(choice['error'])) return toInnerFailure(readError(choice) ?? { message: '', words: '', status: null }, rules.target);
  if (!Number.isInteger(choice['index'])) choice['index'] = position;
  if (rules.usageInChoice) delete choice['usage'];
  if (choice['logprobs']) completeLogprobs(choice['logprobs']);
  for (const stripped of rules.stripped) if (choice[stripped] !== undefined) delete choice[stripped];
  const reason = choice['finish_reason'];
  if (typeof reason === 'string' && reason !== '') {
    if (rules.failureReasons.has(reason)) {
      return { kind: 'upstream_error', origin: 'external', detail: `the upstream finished with the reason ${reason}` };
    }
    // An aggregator upstream already names its own upstream's reason.
    if (typeof choice['native_finish_reason'] !== 'string') choice['native_finish_reason'] = reason;
    choice['finish_reason'] = toFinishReason(reason);
  } else {
    choice['finish_reason'] = null;
  }
  choice[field] ??= {};
  const delta = choice[field];
  return isJsonObject(delta) ? normalizeDelta(delta, field, rules) : protocolFailure(`a ${field} is not an object`);
}

function normalizeDelta(delta: JsonObject, field: 'delta' | 'message', rules: AnswerRules): AttemptFailure | null {
  if (field === 'message') delta['role'] = 'assistant';
  else if (delta['role']) delta['role'] = 'assistant';
  else if (delta['role'] !== undefined) delete delta['role'];
  for (const stripped of rules.stripped) if (delta[stripped] !== undefined) delete delta[stripped];
  mergeReasoning(delta, rules.reasoningFields);
  for (const optional of NEVER_NULL) if (delta[optional] === null) delete delta[optional];
  dropUnlessText(delta, 'refusal');
  const details = delta['reasoning_details'];
  if (Array.isArray(details)) markDetails(details, rules.target);
  else if (details !== undefined) delete delta['reasoning_details'];
  const content = delta['content'];
  if (Array.isArray(content)) spreadContentParts(delta, content);
  else if (typeof content !== 'string' && content !== null && content !== undefined) return protocolFailure('content is not text');
  else if (field === 'message' && content === undefined) delta['content'] = null;
  return delta['tool_calls'] === undefined ? null : normalizeToolCalls(delta['tool_calls'], field);
}

// Chutes sends the same text in two fields at once: the first that has any wins, the others go.
function mergeReasoning(delta: JsonObject, fields: readonly string[]): void {
  let text: string | undefined;
  for (const field of fields) {
    const value = delta[field];
    if (value === undefined) continue;
    if (text === undefined && typeof value === 'string' && value !== '') text = value;
    if (field !== 'reasoning') delete delta[field];
  }
  if (text !== undefined) delta['reasoning'] = text;
  else dropUnlessText(delta, 'reasoning');
}

// Mistral's reasoning models answer in parts: thinking beside text.
function spreadContentParts(delta: JsonObject, parts: readonly unknown[]): void {
  let text = '';
  let thinking = '';
  for (const part of parts) {
    if (!isJsonObject(part)) continue;
    if (typeof part['text'] === 'string') text += part['text'];
    if (Array.isArray(part['thinking'])) {
      for (const inner of part['thinking']) if (isJsonObject(inner) && typeof inner['text'] === 'string') thinking += inner['text'];
    }
  }
  delta['content'] = text;
  if (thinking !== '') delta['reasoning'] = thinking;
}

/** Takes off what should be text and is not. */
function dropUnlessText(holder: JsonObject, field: string): void {
  const value = holder[field];
  if (value !== undefined && value !== null && typeof value !== 'string') delete holder[field];
}
