/** The contract of raw completions: OpenAI's legacy API with OpenRouter's routing fields. */
import type { z } from 'zod';
import { findCompletionContradiction } from './chat-rules.ts';
import { completionBody, type CompletionRequest } from './completion-body.ts';

export type { CompletionRequest } from './completion-body.ts';

/** The body of `POST /completions`. `models` alone will do: its first is the model. */
export const completionRequest = completionBody
  .extend({ model: completionBody.shape.model.optional() })
  .check(({ value, issues }) => {
    value.model ??= value.models?.[0];
    const contradiction = findCompletionContradiction(value);
    if (contradiction !== null) issues.push({ code: 'custom', input: value, ...contradiction });
  })
  .meta({ id: 'CompletionRequest' }) as unknown as z.ZodType<CompletionRequest>;
