/** The Response object: what OpenAI's and OpenRouter's clients require of it, both. */
import type { ResponsesRequest } from '#schema/responses';
import type { AnswerLabels, Settlement } from '#schema/skin';
import { costFields, metadataField } from '../usage-body.ts';
import type { OutputItem } from './items.ts';
import type { Outcome } from './outcome.ts';

/** What changes of a Response while it is written; `settings` stay. */
export interface ResponseState {
  outcome: Outcome;
  output: readonly OutputItem[];
  settlement: Settlement | null;
  /** Top-level fields of the upstream that correct an echoed setting, such as the service tier that answered. */
  extra: Record<string, unknown>;
}

/** Builds the body. Only an answer that is complete has a `completed_at`. */
export function toResponseBody(
  { id, createdAtS, model, provider }: Omit<AnswerLabels, 'provider'> & { provider?: string },
  settings: object,
  { outcome, output, settlement, extra }: ResponseState,
): object {
  const tier = extra['service_tier'];
  return {
    id,
    object: 'response',
    created_at: createdAtS,
    completed_at: outcome.status === 'completed' && settlement !== null ? settlement.endedAtS : null,
    model,
    ...(provider === undefined ? {} : { provider }),
    ...outcome,
    output,
    ...settings,
    ...(typeof tier === 'string' ? { service_tier: tier } : {}),
    usage: settlement === null ? null : toUsage(settlement),
    ...(settlement === null ? {} : metadataField(settlement)),
  };
}

/** Repeats the settings of a request as answers state them. What was not set and has no default of this API is null: the model decided. */
export function toSettings(body: ResponsesRequest): object {
  return {
    background: false,
    frequency_penalty: body.frequency_penalty ?? null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    presence_penalty: body.presence_penalty ?? null,
    previous_response_id: null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: body.reasoning ?? null,
    safety_identifier: body.safety_identifier ?? null,
    service_tier: body.service_tier ?? null,
    store: false,
    temperature: body.temperature ?? null,
    text: { ...body.text, format: body.text?.format ?? { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: (body.tools ?? []).map((tool) => ({ ...tool, parameters: tool.parameters ?? null, strict: tool.strict ?? null })),
    top_logprobs: body.top_logprobs ?? null,
    top_p: body.top_p ?? null,
    truncation: body.truncation ?? 'disabled',
    user: body.user ?? null,
  };
}

function toUsage(settlement: Settlement): object {
  const { usage } = settlement;
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens, cache_write_tokens: usage.cacheWriteTokens },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
    ...costFields(settlement, 'input', 'output'),
    headrace: { source: usage.source },
  };
}
