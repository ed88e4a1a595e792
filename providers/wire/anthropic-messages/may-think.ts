import { isJsonObject, type JsonObject } from '#providers/wire/json-object';

const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

/** Tells whether a body asks for thinking with a budget. */
export function isThinking({ thinking }: JsonObject): boolean {
  return isJsonObject(thinking) && thinking['type'] === 'enabled';
}

/**
 * Tells whether the model may think with a budget: the API refuses it in the middle of a tool loop that does not hold the thinking with
 * which it began. Source: Anthropic, "extended thinking", "preserving thinking blocks".
 */
export function mayThink(turns: unknown): boolean {
  if (!Array.isArray(turns)) return true;
  const start = turns.findLastIndex(
    (turn) => isJsonObject(turn) && turn['role'] === 'user' && !holds(turn, (type) => type === 'tool_result'),
  );
  const loop: unknown[] = turns.slice(start + 1);
  return !loop.some((turn) => holds(turn, (type) => type === 'tool_use')) || loop.some((turn) => holds(turn, (type) => THOUGHTS.has(type)));
}

function holds(turn: unknown, isMeant: (type: unknown) => boolean): boolean {
  if (!isJsonObject(turn) || !Array.isArray(turn['content'])) return false;
  return turn['content'].some((block) => isJsonObject(block) && isMeant(block['type']));
}
