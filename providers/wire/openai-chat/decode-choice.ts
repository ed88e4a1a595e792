/** Brings one upstream choice into the common shape, in place: this runs for every event of every stream. */
import { toInnerFailure, protocolFailure } from '#providers/wire/decode-error';
import { toFinishReason } from '#providers/wire/finish-reason';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { readError } from '#providers/wire/read-error';
import type { AttemptFailure } from '#schema/attempt';
import type { AnswerRules } from './answer-rules.ts';

/**
 * Normalises a choice whose text is in `field`; null when all is well.
 * Renames reasoning, maps the finish reason (native kept beside it), drops nulls that clients refuse and what the card strips.
 */
export function normalizeChoice(choice: unknown, position: number, field: 'delta' | 'message', rules: AnswerRules): AttemptFailure | null {
  if (!isJsonObject(choice)) return protocolFailure('a choice is not an object');
  if (isJsonObject(choice['error'])) return toInnerFailure(readError(choice) ?? { message: '', words: '', status: null }, rules.target);
  if (!Number.isInteger(choice['index'])) choice['index'] = position;
  if (rules.usageInChoice) delete choice['usage'];
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
  else if (delta['role'] === '' || delta['role'] === null) delete delta['role'];
  for (const stripped of rules.stripped) if (delta[stripped] !== undefined) delete delta[stripped];
  mergeReasoning(delta, rules.reasoningFields);
  if (delta['reasoning_details'] === null) delete delta['reasoning_details'];
  const content = delta['content'];
  if (Array.isArray(content)) spreadContentParts(delta, content);
  else if (typeof content !== 'string' && content !== null && content !== undefined) return protocolFailure('content is not text');
  else if (field === 'message' && content === undefined) delta['content'] = null;
  const toolCalls = delta['tool_calls'];
  if (toolCalls === undefined) return null;
  if (toolCalls === null) {
    delete delta['tool_calls'];
    return null;
  }
  return normalizeToolCalls(toolCalls, field);
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
  else if (typeof delta['reasoning'] === 'object' && delta['reasoning'] !== null) delete delta['reasoning'];
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

function normalizeToolCalls(toolCalls: unknown, field: 'delta' | 'message'): AttemptFailure | null {
  if (!Array.isArray(toolCalls)) return protocolFailure('tool_calls is not a list');
  for (const [position, call] of toolCalls.entries()) {
    if (!isJsonObject(call)) return protocolFailure('a tool call is not an object');
    if (field === 'delta' && !Number.isInteger(call['index'])) call['index'] = position;
    const named = call['function'];
    if (isJsonObject(named) && isJsonObject(named['arguments'])) named['arguments'] = JSON.stringify(named['arguments']);
  }
  return null;
}
