/** The fields of a request for raw completions: OpenAI's legacy API with OpenRouter's routing fields. */
import { z } from 'zod';
import { maxTokens, reasoningFields, routingFields, samplingFields } from './generation-fields.ts';
import { prompt } from './prompt.ts';

/** Each field for itself; what they say together is checked by `schema/completions.ts`. */
export const completionBody = z.looseObject({
  ...routingFields,
  prompt,
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(1).max(20).nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  max_tokens: maxTokens.nullish(),
  max_completion_tokens: z.null({ error: 'is called max_tokens here' }).optional(),
  ...samplingFields,
  ...reasoningFields,
});
export type CompletionRequest = z.infer<typeof completionBody>;
