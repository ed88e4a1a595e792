/** Function tools: what a model may call, whether it must, and what it called. */
import { z } from 'zod';

/** Server tools, hosted search and custom grammars would run at the router or at one vendor. */
const FUNCTIONS_ONLY = 'only tools of type "function" are served: offer what the tool does as a function and run it yourself';

const functionName = z.string().min(1).max(128);

/** Missing types are said to be missing; wrong ones are told what is served. */
const functionType = z.literal('function', { error: (issue) => (issue.input === undefined ? 'is required' : FUNCTIONS_ONLY) });

export const tool = z.looseObject({
  type: functionType,
  function: z.looseObject({
    name: functionName,
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});
export type Tool = z.infer<typeof tool>;

const namedFunction = z.looseObject({ type: functionType, function: z.looseObject({ name: functionName }) });
export const toolChoice = z.union([z.enum(['none', 'auto', 'required']), namedFunction]);

const allowedTools = z.looseObject({
  type: z.literal('allowed_tools'),
  allowed_tools: z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedFunction).min(1).max(1024) }),
});
/** What a client may write; `allowed_tools` is OpenAI's way to name some of the tools. */
export const askedToolChoice = z.union([...toolChoice.options, allowedTools]);
export type AskedToolChoice = z.infer<typeof askedToolChoice>;

export const toolCall = z.looseObject({
  id: z.string(),
  type: functionType,
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});
export type ToolCall = z.infer<typeof toolCall>;
