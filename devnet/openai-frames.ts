/** What OpenAI's chat and raw completions write alike. */
import type { EndpointCard } from './card.ts';
import type { Frame, Reply, TokenUsage } from './dialect.ts';
import { toErrorBody, type Refusal } from './error-family.ts';

/** Writes one event. */
export function toDataFrame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Writes an error as the event that stands inside a stream. */
export function renderErrorFrame(card: EndpointCard, refusal: Refusal): string {
  return toDataFrame(toErrorBody(card.errorFamily === 'vllm' ? 'vllm' : 'openai', refusal));
}

/** Begins the body of an answer or of one event. */
export function envelope(reply: Reply, object: string): Record<string, unknown> {
  return {
    id: reply.id,
    object,
    created: reply.createdAtS,
    model: reply.job.model.upstreamModel,
    devnet: { simulated: true, endpoint: reply.card.id },
  };
}

/** Writes usage with its details. */
export function toUsage(usage: TokenUsage): Record<string, unknown> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** Deals the frames of several choices out in turn, as an engine that decodes them together does. */
export function interleave(lanes: readonly Frame[][]): Frame[] {
  const longest = Math.max(...lanes.map((lane) => lane.length));
  return Array.from({ length: longest }, (_, step) => lanes.flatMap((lane) => lane[step] ?? [])).flat();
}
