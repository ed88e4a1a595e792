/** The contract of Anthropic's Messages API with OpenRouter's routing fields. */
import { z } from 'zod';
import { maxTokens, routingFields } from './generation-fields.ts';
import { messagesPrompt } from './messages-prompt.ts';
import { findContradiction } from './messages-rules.ts';

export { countTokensRequest, type CountTokensRequest, type MessageBlock, type MessageTurn } from './messages-prompt.ts';

const STOPS_MAX = 1024;
/** OpenRouter's limit. */
const FALLBACKS_MAX = 3;

/** The body of `POST /messages`. */
export const messagesRequest = z
  .looseObject({
    ...messagesPrompt,
    /** Anthropic insists on it, OpenRouter does not. */
    max_tokens: maxTokens.nullish(),
    stop_sequences: z.array(z.string()).max(STOPS_MAX).nullish(),
    temperature: z.number().min(0).max(1).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    top_k: z.int().nonnegative().nullish(),
    stream: z.boolean().nullish(),
    metadata: z.looseObject({ user_id: z.string().max(1024).nullish() }).nullish(),
    service_tier: z.enum(['auto', 'standard_only', 'default', 'fast', 'flex', 'priority', 'scale']).nullish(),
    context_management: z.looseObject({ edits: z.array(z.looseObject({ type: z.string() })).nullish() }).nullish(),
    mcp_servers: z.array(z.unknown()).nullish(),
    models: routingFields.models.nullish(),
    fallbacks: z
      .array(z.strictObject({ model: routingFields.model }))
      .max(FALLBACKS_MAX)
      .nullish(),
    provider: routingFields.provider,
    plugins: routingFields.plugins,
    route: routingFields.route,
    session_id: routingFields.session_id,
    user: routingFields.user,
  })
  .refine(({ models, fallbacks }) => !models || !fallbacks, { path: ['fallbacks'], error: 'cannot be given together with models' })
  .check(({ value, issues }) => {
    const contradiction = findContradiction(value);
    if (contradiction !== null) issues.push({ code: 'custom', input: value, ...contradiction });
  })
  .meta({ id: 'MessagesRequest' });
export type MessagesRequest = z.infer<typeof messagesRequest>;
