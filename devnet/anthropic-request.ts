/** Understands an Anthropic messages request. */
import {
  catchComplaint,
  complain,
  isFields,
  limitOutput,
  readBody,
  readList,
  readTextModel,
  readNumber,
  readStop,
  TOKENS_MAX,
  type Fields,
} from './body.ts';
import type { EndpointCard } from './card.ts';
import type { Refusal } from './error-family.ts';
import type { Job } from './job.ts';
import { countPromptTokens, IMAGE_TEXT } from './tokens.ts';

interface Turn {
  role: 'user' | 'assistant';
  text: string;
  toolResult: string | null;
  caches: boolean;
}

/** Parses the body into a job, or says what is wrong with it. */
export function parseAnthropicRequest(body: unknown, card: EndpointCard, headers: Headers): Job | Refusal {
  return catchComplaint(() => toJob(readVersioned(body, headers), card));
}

/** Counts the prompt tokens of a request that is not to be answered. Throws a Complaint. */
export function countAnthropicPrompt(body: unknown, card: EndpointCard, headers: Headers): number {
  const fields = readVersioned(body, headers);
  readTextModel(fields, card);
  return readConversation(fields).promptTokens;
}

type Headers = Record<string, string | string[] | undefined>;

function readVersioned(body: unknown, headers: Headers): Fields {
  if (headers['anthropic-version'] === undefined) complain('anthropic-version', 'anthropic-version: header is required');
  return readBody(body);
}

interface Conversation {
  /** Without the prefill. */
  turns: readonly Turn[];
  tools: readonly Tool[];
  prompt: string;
  promptTokens: number;
  /** An assistant turn at the end is a prefill: the answer goes on from it. */
  prefix: string | null;
  caches: boolean;
}

function readConversation(fields: Fields): Conversation {
  const turns = readList(fields, 'messages').map(readTurn);
  const last = turns.at(-1);
  const prefix = last?.role === 'assistant' ? last.text : null;
  const spoken = prefix === null ? turns : turns.slice(0, -1);
  const system = readBlocks(fields['system'] ?? '', 'system');
  const tools = readTools(fields);
  const opening = system.text === '' ? '' : `system: ${system.text}\n`;
  const conversation = opening + spoken.map(({ role, text }) => `${role}: ${text}\n`).join('');
  const prompt = tools.length > 0 ? `${JSON.stringify(tools)}\n${conversation}` : conversation;
  const promptTokens = countPromptTokens(prompt) + countPromptTokens(prefix ?? '');
  return { turns: spoken, tools, prompt, promptTokens, prefix, caches: system.caches || turns.some((turn) => turn.caches) };
}

function toJob(fields: Fields, card: EndpointCard): Job {
  const model = readTextModel(fields, card);
  const { turns, tools, prompt, promptTokens, prefix, caches } = readConversation(fields);
  const last = turns.at(-1);
  const asked = readNumber(fields, 'max_tokens', { min: 1, max: TOKENS_MAX, whole: true }, null);
  if (asked === null) complain('max_tokens', 'max_tokens: Field required');
  readNumber(fields, 'temperature', { min: 0, max: 1 }, null);

  return {
    model,
    streaming: fields['stream'] === true,
    prompt,
    promptTokens,
    question: turns.findLast((turn) => turn.role === 'user' && turn.toolResult === null)?.text ?? '',
    toolResult: last?.toolResult ?? null,
    echoes: [],
    prefix,
    maxTokens: limitOutput(model, promptTokens, { tokens: asked, param: 'max_tokens' }),
    minTokens: 0,
    stop: readStop(fields['stop_sequences'], 'stop_sequences'),
    seed: null,
    choices: 1,
    tool: prefix === null ? chooseTool(tools, fields['tool_choice'], last) : null,
    outputSchema: null,
    reasoning: thinks(fields['thinking']) ? 'medium' : 'none',
    topLogprobs: null,
    includeUsage: true,
    runningUsage: false,
    caches,
  };
}

function thinks(wish: unknown): boolean {
  return isFields(wish) && (wish['type'] === 'enabled' || wish['type'] === 'adaptive');
}

function readTurn(message: unknown, index: number): Turn {
  const where = `messages.${index}`;
  if (!isFields(message)) complain(where, `${where}: Input should be an object`);
  const role = message['role'];
  if (role !== 'user' && role !== 'assistant') complain(`${where}.role`, `${where}.role: Input should be 'user' or 'assistant'`);
  return { role, ...readBlocks(message['content'], `${where}.content`) };
}

function readBlocks(content: unknown, where: string): { text: string; toolResult: string | null; caches: boolean } {
  if (typeof content === 'string') return { text: content, toolResult: null, caches: false };
  if (!Array.isArray(content)) complain(where, `${where}: Input should be a string or a list of blocks`);
  const blocks = content.map((block: unknown, index) =>
    isFields(block) ? block : complain(`${where}.${index}`, `${where}.${index}: Input should be an object`),
  );
  const result = blocks.findLast((block) => block['type'] === 'tool_result');
  return {
    text: blocks.map((block, index) => readBlock(block, `${where}.${index}`)).join(''),
    toolResult: result === undefined ? null : readBlocks(result['content'] ?? '', where).text,
    caches: blocks.some((block) => isFields(block['cache_control'])),
  };
}

function readBlock(block: Fields, where: string): string {
  switch (block['type']) {
    case 'text':
      return typeof block['text'] === 'string' ? block['text'] : complain(`${where}.text`, `${where}.text: Input should be a string`);
    case 'image':
      return IMAGE_TEXT;
    case 'tool_use':
      return JSON.stringify(block['input'] ?? {});
    case 'tool_result':
      return readBlocks(block['content'] ?? '', `${where}.content`).text;
    case 'thinking':
    case 'redacted_thinking':
      return '';
    default:
      return complain(`${where}.type`, `${where}.type: Input tag is not one that this model takes`);
  }
}

interface Tool {
  name: string;
  schema: unknown;
}

function readTools(fields: Fields): Tool[] {
  const tools = fields['tools'];
  if (tools === undefined || tools === null) return [];
  if (!Array.isArray(tools)) complain('tools', 'tools: Input should be a list');
  return tools.map((tool: unknown, index) => {
    const name = isFields(tool) ? tool['name'] : undefined;
    if (!isFields(tool) || typeof name !== 'string') complain(`tools.${index}.name`, `tools.${index}.name: Field required`);
    return { name, schema: tool['input_schema'] ?? { type: 'object' } };
  });
}

function chooseTool(tools: readonly Tool[], choice: unknown, last: Turn | undefined): Tool | null {
  const kind = isFields(choice) ? choice['type'] : 'auto';
  if (isFields(choice) && kind === 'tool') {
    const named = tools.find((tool) => tool.name === choice['name']);
    return named ?? complain('tool_choice', "tool_choice: names a tool that is not among 'tools'");
  }
  const asksForTool = last?.role === 'user' && last.toolResult === null;
  return kind !== 'none' && asksForTool ? (tools[0] ?? null) : null;
}
