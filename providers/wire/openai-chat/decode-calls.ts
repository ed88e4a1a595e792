/** Brings the tool calls of an answer into the form that strict clients take, in place: text where text belongs, no nulls, an id for each. */
import { createHash } from 'node:crypto';
import { protocolFailure } from '#providers/wire/decode-error';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import type { AttemptFailure } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';

/** Some vendors allow tool call ids of 40 characters and no more; these have 29. */
const ID_DIGITS = 24;

/**
 * Normalises the calls of a delta or a message; null when all is well. Pieces lose what says nothing, and are numbered where the upstream
 * does not; a call in a message is whole: one without a function to call is a failure, one without arguments has none to give.
 */
export function normalizeToolCalls(calls: unknown, field: 'delta' | 'message'): AttemptFailure | null {
  if (!Array.isArray(calls)) return protocolFailure('tool_calls is not a list');
  for (const [position, call] of calls.entries()) {
    if (!isJsonObject(call)) return protocolFailure('a tool call is not an object');
    if (field === 'delta') normalizePiece(call, position);
    else if (!completeCall(call)) return protocolFailure('a tool call without a function');
  }
  return null;
}

function normalizePiece(piece: JsonObject, position: number): void {
  if (!Number.isInteger(piece['index'])) piece['index'] = position;
  if (piece['type'] !== 'function') delete piece['type'];
  keepText(piece, 'id');
  if (isJsonObject(piece['function'])) normalizeFunction(piece['function']);
  else delete piece['function'];
}

function completeCall(call: JsonObject): boolean {
  const named = call['function'];
  if (!isJsonObject(named)) return false;
  call['type'] = 'function';
  keepText(call, 'id');
  normalizeFunction(named);
  named['arguments'] ??= '{}';
  return named['name'] !== undefined;
}

function normalizeFunction(named: JsonObject): void {
  const { arguments: given } = named;
  if (typeof given === 'object' && given !== null) named['arguments'] = JSON.stringify(given);
  keepText(named, 'name');
  keepText(named, 'arguments');
}

/** Takes off what should be text and is not. */
function keepText(holder: JsonObject, field: string): void {
  if (typeof holder[field] !== 'string') delete holder[field];
}

/** Names a call that its upstream left nameless; the same in every piece of it, and in no other answer. */
export function callId(upstreamId: string | null, choice: number, number: number): string {
  const digest = createHash('sha256').update(`${upstreamId}.${choice}.${number}`).digest('hex');
  return `call_${digest.slice(0, ID_DIGITS)}`;
}

/** Gives the calls of whole choices the ids that they lack. */
export function nameCalls(choices: readonly ChatChoice[], upstreamId: string | null): void {
  for (const { index, message } of choices) {
    for (const [number, call] of (message?.tool_calls ?? []).entries()) call.id ||= callId(upstreamId, index, number);
  }
}
