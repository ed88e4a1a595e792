import type { ChatRequest } from '#schema/chat';
import type { CountTokensRequest, MessagesRequest } from '#schema/messages';
import { toMessages } from './read-turns.ts';

type Tool = NonNullable<ChatRequest['tools']>[number];
type CustomTool = Exclude<NonNullable<CountTokensRequest['tools']>[number], { type: 'built_in' }>;

/**
 * Reads a request into the common shape.
 * Not said there, because only endpoints of this dialect know it and those get the native body: built-in tools, examples of tool input,
 * speed, citations, display of thinking, pruning of the context, and the difference between a document and its text.
 */
export function toChatRequest(request: MessagesRequest): ChatRequest {
  const { provider, session_id, stream, temperature, top_p, top_k, plugins, route, trace } = request;
  return {
    ...toPrompt(request),
    max_tokens: request.max_tokens,
    cache_control: request['cache_control'],
    temperature,
    top_p,
    top_k,
    stream,
    provider,
    session_id,
    plugins,
    route,
    trace,
    stop: request.stop_sequences,
    models: request.models ?? request.fallbacks?.map(({ model }) => model),
    user: request.user ?? request.metadata?.user_id,
    service_tier: request.service_tier === 'standard_only' ? 'default' : request.service_tier,
  };
}

/** Reads what the model is shown, which is also what is counted. */
function toPrompt(request: CountTokensRequest): ChatRequest {
  const { model, system, messages, tools } = request;
  const format = request.output_format ?? request.output_config?.format;
  return {
    model,
    messages: [...(system ? toMessages({ role: 'system', content: system }) : []), ...messages.flatMap(toMessages)],
    tools: tools?.filter((tool) => tool.type !== 'built_in').map(toTool),
    ...toToolChoice(request.tool_choice),
    ...toReasoning(request),
    ...(format && { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema, strict: true } } }),
  };
}

function toTool({ name, description, input_schema: parameters, strict, cache_control: mark }: CustomTool): Tool {
  return { type: 'function', function: { name, description, parameters, strict }, ...(mark ? { cache_control: mark } : {}) };
}

function toToolChoice(choice: CountTokensRequest['tool_choice']): Pick<ChatRequest, 'tool_choice' | 'parallel_tool_calls'> {
  if (!choice) return {};
  const parallel = choice['disable_parallel_tool_use'] === true ? { parallel_tool_calls: false } : {};
  if (choice.type === 'tool') return { tool_choice: { type: 'function', function: { name: choice.name } }, ...parallel };
  return { tool_choice: choice.type === 'any' ? 'required' : choice.type, ...parallel };
}

/** An effort says how much to think; it does not switch on what the caller switched off. */
function toReasoning({ thinking, output_config: output }: CountTokensRequest): Pick<ChatRequest, 'reasoning'> {
  if (thinking?.type === 'disabled') return { reasoning: { enabled: false } };
  const effort = output?.effort ? { effort: output.effort } : {};
  if (thinking?.type === 'enabled') return { reasoning: { max_tokens: thinking.budget_tokens, ...effort } };
  return thinking || output?.effort ? { reasoning: { enabled: true, ...effort } } : {};
}
