/** Rules between the fields of a request: what zod cannot say of one field alone. */
import type { ChatRequest } from './chat-body.ts';
import type { AskedToolChoice, Tool } from './chat-tools.ts';
import type { CompletionRequest } from './completion-body.ts';
import { findUnserved, UNSERVED_IN_CHAT, UNSERVED_IN_COMPLETIONS } from './unserved-fields.ts';

/** Answers generated for one request at most, over all its prompts. */
const ANSWERS_MAX = 128;

/** The field at fault, and what is wrong with it. */
export interface Contradiction {
  path: PropertyKey[];
  message: string;
}

/** A request whose fields have been checked, each for itself. */
type Checked<Request> = { [Field in keyof Request]?: Request[Field] | undefined };

const NO_SUCH_TOOL = 'is not the name of any of the tools';
const NO_MODEL: Contradiction = { path: ['model'], message: 'is required' };

/** Finds the first thing that a chat request says against itself, or asks of us in vain; null when all is well. */
export function findContradiction(request: Checked<ChatRequest>): Contradiction | null {
  if (request.model === undefined) return NO_MODEL;
  if (request.top_logprobs && request.logprobs !== true) return { path: ['top_logprobs'], message: "needs 'logprobs' to be true" };
  return reasoningContradiction(request) ?? toolContradiction(request) ?? findUnserved(request, UNSERVED_IN_CHAT);
}

/**
 * Leaves the allowed tools alone where `tool_choice` names some of them, which every upstream understands.
 * Finds a name that is none of the tools'.
 */
export function narrowTools(request: {
  tools?: Tool[] | null | undefined;
  tool_choice?: AskedToolChoice | null | undefined;
}): Contradiction | null {
  const { tools, tool_choice: choice } = request;
  if (typeof choice !== 'object' || choice?.type !== 'allowed_tools') return null;
  const { mode, tools: allowed } = choice.allowed_tools;
  const names = allowed.map((tool) => tool.function.name);
  const stray = names.findIndex((name) => !hasTool(tools, name));
  if (stray !== -1) return { path: ['tool_choice', 'allowed_tools', 'tools', stray, 'function', 'name'], message: NO_SUCH_TOOL };
  request.tools = tools?.filter((tool) => names.includes(tool.function.name));
  request.tool_choice = mode;
  return null;
}

function hasTool(tools: readonly Tool[] | null | undefined, name: string): boolean {
  return tools?.some((tool) => tool.function.name === name) === true;
}

/** Finds the same in a request for raw completions. */
export function findCompletionContradiction(request: Checked<CompletionRequest>): Contradiction | null {
  if (request.model === undefined) return NO_MODEL;
  const { n, best_of: bestOf } = request;
  if (bestOf && bestOf < (n ?? 1)) return { path: ['best_of'], message: "must be at least 'n'" };
  if (bestOf && bestOf > 1 && request.stream === true)
    return { path: ['best_of'], message: 'cannot be streamed: the best is known at the end' };
  if (answersOf(request) > ANSWERS_MAX) return { path: ['prompt'], message: `asks for more than ${ANSWERS_MAX} answers at once` };
  return reasoningContradiction(request) ?? findUnserved(request, UNSERVED_IN_COMPLETIONS);
}

/** Counts the answers that raw prompts ask for, those that `best_of` throws away included. */
export function answersOf({ prompt, n, best_of: bestOf }: Pick<Checked<CompletionRequest>, 'prompt' | 'n' | 'best_of'>): number {
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
  return prompts * Math.max(n ?? 1, bestOf ?? 1);
}

function reasoningContradiction(request: Pick<Checked<ChatRequest>, 'reasoning' | 'reasoning_effort'>): Contradiction | null {
  const { reasoning, reasoning_effort: field } = request;
  const effort = reasoning?.effort;
  if (effort && field && effort !== field)
    return { path: ['reasoning_effort'], message: "contradicts 'reasoning.effort': send one of them" };
  if (!reasoning?.max_tokens || !(effort ?? field)) return null;
  return { path: ['reasoning', 'max_tokens'], message: 'is an alternative to an effort: send one of them' };
}

function toolContradiction({ tool_choice: choice, tools }: Checked<ChatRequest>): Contradiction | null {
  if (choice === 'required' && !tools?.length) return { path: ['tool_choice'], message: 'asks for a tool call, but there are no tools' };
  if (typeof choice !== 'object' || choice === null) return null;
  return hasTool(tools, choice.function.name) ? null : { path: ['tool_choice', 'function', 'name'], message: NO_SUCH_TOOL };
}
