/** Earlier answers as they go back: what they said and called, and of their reasoning what this endpoint can read. */
import type { DialectTarget } from '#providers/provider';
import type { JsonObject } from '#providers/wire/json-object';
import type { ChatMessage } from '#schema/chat';
import { ownSignature } from '#schema/signature';

type AssistantMessage = Extract<ChatMessage, { role: 'assistant' }>;

/** Fields in which earlier answers carry their reasoning, in the order of preference. */
const REASONING_FIELDS = ['reasoning', 'reasoning_content', 'reasoning_text'] as const;

/** Fields of answers that no request takes back; strict vendors refuse them. */
const ANSWER_ONLY: ReadonlySet<string> = new Set([
  ...REASONING_FIELDS,
  'reasoning_details',
  'annotations',
  'images',
  'model',
  'provider',
  '__proto__',
]);

/**
 * Encodes an earlier answer: reasoning under the vendor's field or not at all, no nulls but the content beside calls. An answer that was cut
 * while it thought has neither; its content is empty, because null would be refused.
 * Signed and encrypted thoughts go only to who made them.
 */
export function encodeAssistant(message: AssistantMessage, target: DialectTarget): AssistantMessage {
  const { tool_calls: calls, ...rest } = message;
  const said = Object.entries(rest).filter(([field, value]) => !ANSWER_ONLY.has(field) && (value ?? null) !== null);
  const called = calls && calls.length > 0 ? { content: null, tool_calls: calls } : { content: '' };
  return { ...called, ...Object.fromEntries(said), ...replayedReasoning(message, target) } as AssistantMessage;
}

function replayedReasoning(message: AssistantMessage, { quirks, operatorId }: DialectTarget): JsonObject {
  const field = quirks.reasoningReplayField ?? null;
  if (field === null) return {};
  const details = message.reasoning_details ?? [];
  const text = REASONING_FIELDS.map((name) => message[name]).find(isText) ?? details.map(textOf).join('');
  // DeepSeek refuses replayed tool calls without the field, even when nothing was thought.
  const mustCarry = field === 'reasoning_content' && (message.tool_calls ?? []).length > 0;
  const own = field === 'reasoning' ? details.flatMap((detail) => ownDetail(detail, operatorId)) : [];
  return { ...((text !== '' || mustCarry) && { [field]: text }), ...(own.length > 0 && { reasoning_details: own }) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function textOf({ text, summary }: JsonObject): string {
  return isText(text) ? text : isText(summary) ? summary : '';
}

/** One thought with its signature as issued; none when another operator signed it. */
function ownDetail(detail: JsonObject, operatorId: string | undefined): JsonObject[] {
  const own = { ...detail };
  for (const field of ['signature', 'data']) {
    const signed = detail[field];
    if (typeof signed !== 'string') continue;
    const issued = ownSignature(signed, operatorId);
    if (issued === null) return [];
    own[field] = issued;
  }
  return [own];
}
