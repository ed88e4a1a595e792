/**
 * What a model is shown through Anthropic's Messages API: turns of blocks, tools, and how to think.
 * Strict about what is put into other words; blocks and tools that only this API has are kept whole, for endpoints that speak it.
 */
import { z } from 'zod';
import { maxTokens, routingFields } from './generation-fields.ts';

const MESSAGES_MAX = 10_000;
const TOOLS_MAX = 1024;

const jsonObject = z.record(z.string(), z.unknown());

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });

const urlSource = z.looseObject({ type: z.literal('url'), url: z.string().regex(/^https?:\/\//i, 'expected an http(s) address') });
/** Files belong to the operator's account, which all callers share. */
const fileSource = z.looseObject({
  type: z.literal('file'),
  file_id: z.never('uploaded files cannot be used here: send the content as base64 or by url'),
});

const imageBlock = z.looseObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.looseObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
      data: z.string().min(1),
    }),
    urlSource,
    fileSource,
  ]),
});

const citations = z.looseObject({ enabled: z.boolean().optional() }).nullish();

const documentBlock = z.looseObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('base64'), media_type: z.literal('application/pdf'), data: z.string().min(1) }),
    z.looseObject({ type: z.literal('text'), data: z.string() }),
    z.looseObject({
      type: z.literal('content'),
      content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textBlock, imageBlock]))]),
    }),
    urlSource,
    fileSource,
  ]),
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations,
});

const searchResultBlock = z.looseObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(textBlock),
  citations,
});

/** A block that this house has no other words for: server tools, and whatever comes next. */
function otherBlock(known: readonly string[]) {
  return z
    .looseObject({ type: z.string().refine((type) => !known.includes(type), 'expected a block of this type') })
    .transform((block) => ({ type: 'other' as const, block }));
}

const toolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().min(1),
  content: z
    .union([
      z.string(),
      z.array(
        z.union([
          z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock, searchResultBlock]),
          otherBlock(['text', 'image', 'document', 'search_result']),
        ]),
      ),
    ])
    .optional(),
  is_error: z.boolean().nullish(),
});

const toolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().min(1),
  name: z.string().min(1),
  input: jsonObject,
  caller: z.looseObject({ type: z.string() }).nullish(),
  toolset_name: z.string().nullish(),
});

const knownBlock = z.discriminatedUnion('type', [
  textBlock,
  imageBlock,
  documentBlock,
  searchResultBlock,
  toolUseBlock,
  toolResultBlock,
  z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().default('') }),
  z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
]);
const block = z.union([knownBlock, otherBlock(knownBlock.options.map(({ shape }) => shape.type.value))]);
export type MessageBlock = z.infer<typeof block>;

const turn = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('user'), content: z.union([z.string(), z.array(block)]) }),
  z.looseObject({ role: z.literal('assistant'), content: z.union([z.string(), z.array(block)]) }),
  z.looseObject({ role: z.literal('system'), content: z.union([z.string(), z.array(textBlock)]) }),
]);
export type MessageTurn = z.infer<typeof turn>;

const customTool = z.looseObject({
  type: z.literal('custom').nullish(),
  name: z.string().min(1).max(128),
  description: z.string().optional(),
  input_schema: jsonObject,
  strict: z.boolean().nullish(),
});
/** A tool of the vendor's own, such as web search. */
const builtInTool = z
  .looseObject({ type: z.string().refine((type) => type !== 'custom', 'expected custom') })
  .transform((tool) => ({ type: 'built_in' as const, tool }));

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const toolChoice = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('auto'), ...parallel }),
  z.looseObject({ type: z.literal('any'), ...parallel }),
  z.looseObject({ type: z.literal('tool'), name: z.string().min(1), ...parallel }),
  z.looseObject({ type: z.literal('none') }),
]);

const display = z.string().nullish();
const thinking = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('enabled'), budget_tokens: maxTokens.min(1024), display }),
  z.looseObject({ type: z.literal('adaptive'), display }),
  z.looseObject({ type: z.literal('between_tools'), display }),
  z.looseObject({ type: z.literal('disabled') }),
]);

const outputFormat = z.looseObject({ type: z.literal('json_schema'), schema: jsonObject }).nullish();
const outputConfig = z.looseObject({
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  format: outputFormat,
});

/** The fields that counting and answering share. */
export const messagesPrompt = {
  model: routingFields.model,
  messages: z.array(turn).min(1).max(MESSAGES_MAX),
  system: z.union([z.string(), z.array(textBlock)]).nullish(),
  tools: z
    .array(z.union([customTool, builtInTool]))
    .max(TOOLS_MAX)
    .nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: thinking.nullish(),
  output_config: outputConfig.nullish(),
  /** The older place of the same. */
  output_format: outputFormat,
};

/** The body of `POST /messages/count_tokens`. */
export const countTokensRequest = z.looseObject(messagesPrompt).meta({ id: 'CountTokensRequest' });
export type CountTokensRequest = z.infer<typeof countTokensRequest>;
