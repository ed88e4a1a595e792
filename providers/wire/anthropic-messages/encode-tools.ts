import type { JsonObject } from '#providers/wire/json-object';
import type { ChatRequest } from '#schema/chat';

type Tool = NonNullable<ChatRequest['tools']>[number];

/** Encodes function tools; a cache mark may stand on the tool or on its function. */
export function encodeTools(tools: readonly Tool[]): JsonObject[] {
  return tools.map((tool) => {
    const named = tool.function;
    const encoded: JsonObject = { name: named.name, input_schema: named.parameters ?? { type: 'object', properties: {} } };
    if (typeof named.description === 'string') encoded['description'] = named.description;
    if (typeof named.strict === 'boolean') encoded['strict'] = named.strict;
    const mark = tool['cache_control'] ?? named['cache_control'];
    if (mark !== undefined && mark !== null) encoded['cache_control'] = mark;
    return encoded;
  });
}

/** Encodes `tool_choice` and `parallel_tool_calls: false`; null when the default (`auto`, in parallel) is meant. */
export function encodeToolChoice(request: ChatRequest): JsonObject | null {
  const choice = choiceOf(request);
  if (request.parallel_tool_calls !== false) return choice;
  const named = choice ?? { type: 'auto' };
  return named['type'] === 'none' ? named : { ...named, disable_parallel_tool_use: true };
}

/** Tells whether the caller demands a tool call, which Anthropic refuses together with thinking. */
export function forcesTool(request: ChatRequest): boolean {
  const type = choiceOf(request)?.['type'];
  return type === 'any' || type === 'tool';
}

function choiceOf(request: ChatRequest): JsonObject | null {
  const choice = request.tool_choice;
  if (choice === null || choice === undefined) return null;
  if (typeof choice === 'string') return choice === 'required' ? { type: 'any' } : { type: choice === 'none' ? 'none' : 'auto' };
  return { type: 'tool', name: choice.function.name };
}
