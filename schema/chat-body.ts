/** The fields of a chat request: OpenAI's, OpenRouter's and ours. Unknown ones pass through to upstreams that take them. */
import { z } from 'zod';
import { chatMessage, textContent } from './chat-message.ts';
import { tool, toolChoice } from './chat-tools.ts';
import { maxTokens, reasoningFields, routingFields, samplingFields } from './generation-fields.ts';

/** Each field for itself; what they say together is checked by `schema/chat.ts`. */
export const chatBody = z.looseObject({
  ...routingFields,
  messages: z.array(chatMessage, { error: sayWhatIsMissing }).min(1).max(10_000),
  ...samplingFields,
  ...reasoningFields,
  max_tokens: maxTokens.nullish(),
  max_completion_tokens: maxTokens.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  tools: z.array(tool).max(1024).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  prediction: z.looseObject({ type: z.literal('content'), content: textContent }).nullish(),
  verbosity: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  modalities: z
    .array(z.literal('text', { error: 'chats answer in text alone: use /images/generations or /audio/speech for the rest' }))
    .nullish(),
});
export type ChatRequest = z.infer<typeof chatBody>;

function sayWhatIsMissing({ input }: { input?: unknown }): string | undefined {
  return input === undefined ? 'is required: a raw prompt goes to POST /completions' : undefined;
}
