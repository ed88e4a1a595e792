import type { DialectTarget } from '#providers/provider';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { ownSignature } from '#schema/signature';
import { defaultLimit } from './default-limit.ts';
import { isThinking, mayThink } from './may-think.ts';
import { serviceTier } from './service-tier.ts';

/** Fields of the body that are said to the router, and `speed`, which would multiply the price. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'provider',
  'models',
  'fallbacks',
  'plugins',
  'route',
  'session_id',
  'trace',
  'transforms',
  'preset',
  'user',
  'usage',
  'stop_server_tools_when',
  'stream',
  'speed',
]);

/**
 * Addresses the client's own body to this endpoint: as it is, without nulls, what is the router's and reasoning that others signed.
 * Where a tool loop loses its thinking that way, the model goes on without.
 */
export function encodeNative(native: JsonObject, target: DialectTarget): JsonObject {
  const { service_tier: tier, messages: turns, ...said } = Object.fromEntries(Object.entries(native).filter(isSaid));
  const messages = Array.isArray(turns) ? turns.flatMap((turn) => encodeTurn(turn, target)) : turns;
  const body: JsonObject = { max_tokens: defaultLimit(target), ...said, ...serviceTier(tier), model: target.upstreamModel, messages };
  if (isThinking(body) && mayThink(turns) && !mayThink(messages)) body['thinking'] = { type: 'disabled' };
  return body;
}

function isSaid([field, value]: [string, unknown]): boolean {
  return value !== null && !LEFT_OUT.has(field);
}

function encodeTurn(turn: unknown, target: DialectTarget): unknown[] {
  if (!isJsonObject(turn) || turn['role'] !== 'assistant' || !Array.isArray(turn['content'])) return [turn];
  const content = turn['content'].flatMap((block) => encodeBlock(block, target));
  return content.length === 0 && turn['content'].length > 0 ? [] : [{ ...turn, content }];
}

function encodeBlock(block: unknown, { operatorId }: DialectTarget): unknown[] {
  if (!isJsonObject(block)) return [block];
  if (block['type'] === 'thinking') return withOwn(block, 'signature', operatorId);
  return block['type'] === 'redacted_thinking' ? withOwn(block, 'data', operatorId) : [block];
}

function withOwn(block: JsonObject, field: string, operatorId: string | undefined): JsonObject[] {
  const signed = block[field];
  if (typeof signed !== 'string') return [block];
  const own = ownSignature(signed, operatorId);
  return own === null ? [] : [{ ...block, [field]: own }];
}
