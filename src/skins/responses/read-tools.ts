/** Tools, their choice and the answer's format: flat here, nested in chat. */
import type { ChatRequest } from '#schema/chat';
import { GatewayError } from '#schema/error';
import type { FunctionTool, ResponsesRequest, TextFormat, ToolChoice } from '#schema/responses';

type ToolFields = Pick<ChatRequest, 'tools' | 'tool_choice'>;
type ChatToolChoice = NonNullable<ChatRequest['tool_choice']> | null;

/** Reads `tools` and `tool_choice`. `allowed_tools` offers the allowed ones alone, which every upstream understands. Throws GatewayError. */
export function readTools({ tools, tool_choice: choice }: Pick<ResponsesRequest, 'tools' | 'tool_choice'>): ToolFields {
  const offered = readChoice(tools ?? [], choice ?? null);
  return {
    ...(offered.tools.length === 0 ? {} : { tools: offered.tools.map(toChatTool) }),
    ...(offered.choice === null ? {} : { tool_choice: offered.choice }),
  };
}

function readChoice(tools: readonly FunctionTool[], choice: ToolChoice | null): { tools: readonly FunctionTool[]; choice: ChatToolChoice } {
  if (choice === null || typeof choice === 'string') return { tools, choice };
  if (choice.type === 'function') {
    findTool(tools, choice.name, 'tool_choice.name');
    return { tools, choice: { type: 'function', function: { name: choice.name } } };
  }
  const allowed = choice.tools.map(({ name }, index) => findTool(tools, name, `tool_choice.tools.${index}.name`));
  return { tools: allowed, choice: choice.mode };
}

function findTool(tools: readonly FunctionTool[], name: string, param: string): FunctionTool {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool !== undefined) return tool;
  throw new GatewayError('invalid_request', `Invalid value for '${param}': is not the name of any of the tools.`, { param });
}

function toChatTool({ type, name, description, parameters, strict, ...rest }: FunctionTool): NonNullable<ChatRequest['tools']>[number] {
  const named = {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    ...(parameters ? { parameters } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
  return { ...rest, type, function: named };
}

/** Reads `text`: the format nested as in chat, the verbosity as it is. Plain text is what every model answers. */
export function readText(text: ResponsesRequest['text']): Pick<ChatRequest, 'response_format' | 'verbosity'> {
  return {
    ...(text?.format && text.format.type !== 'text' ? { response_format: toResponseFormat(text.format) } : {}),
    ...(text?.verbosity ? { verbosity: text.verbosity } : {}),
  };
}

function toResponseFormat(format: TextFormat): NonNullable<ChatRequest['response_format']> {
  if (format.type !== 'json_schema') return { type: format.type };
  const { type, name, schema, description, strict } = format;
  const stated = { ...(typeof description === 'string' ? { description } : {}), ...(typeof strict === 'boolean' ? { strict } : {}) };
  return { type, json_schema: { name, ...stated, schema } };
}
