import type { JsonObject } from '#providers/wire/json-object';
import type { ChatRequest } from '#schema/chat';

type Tools = NonNullable<ChatRequest['tools']>;

/** Encodes function tools; tools of any other type are Anthropic's own and pass as they are. */
export function encodeTools(tools: Tools): unknown[] {
  return tools.map((tool) => {
    const named = tool.function;
    if (named === undefined) return tool;
    const encoded: JsonObject = { name: named.name, input_schema: named.parameters ?? { type: 'object', properties: {} } };
    if (typeof named['description'] === 'string') encoded['description'] = named['description'];
    if (typeof named['strict'] === 'boolean') encoded['strict'] = named['strict'];
    if (tool['cache_control'] !== undefined) encoded['cache_control'] = tool['cache_control'];
    return encoded;
  });
}

/** Encodes `tool_choice` and `parallel_tool_calls: false`; null when the default (`auto`, in parallel) is meant. */
export function encodeToolChoice(request: ChatRequest): JsonObject | null {
  const choice = choiceOf(request);
  if (request['parallel_tool_calls'] !== false) return choice;
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
  const named = choice['function'] as { name?: unknown } | undefined;
  return typeof named?.name === 'string' ? { type: 'tool', name: named.name } : choice;
}
