/** Understands an Anthropic messages request. */
import {
  catchComplaint,
  complain,
  isFields,
  limitOutput,
  readBody,
  readList,
  readModel,
  readNumber,
  readStop,
  type Fields,
} from './body.ts';
import type { EndpointCard } from './card.ts';
import type { Refusal } from './error-family.ts';
import type { Job } from './job.ts';
import { countPromptTokens } from './tokens.ts';

const TOKENS_MAX = 1_000_000;
/** What an image counts for, as that much prompt text. */
const IMAGE_TEXT = ' '.repeat(1024);

interface Turn {
  role: 'user' | 'assistant';
  text: string;
  toolResult: string | null;
  caches: boolean;
}

/** Parses the body into a job, or says what is wrong with it. */
export function parseAnthropicRequest(
  body: unknown,
  card: EndpointCard,
  headers: Record<string, string | string[] | undefined>,
): Job | Refusal {
  return catchComplaint(() => {
    if (headers['anthropic-version'] === undefined) complain('anthropic-version', 'anthropic-version: header is required');
    return toJob(readBody(body), card);
  });
}

function toJob(fields: Fields, card: EndpointCard): Job {
  const model = readModel(fields, card);
  const turns = readList(fields, 'messages').map(readTurn);
  const last = turns.at(-1);
  // An assistant turn at the end is a prefill: the answer goes on from it.
  const continues = last?.role === 'assistant';
  const spoken = continues ? turns.slice(0, -1) : turns;
  const system = readBlocks(fields['system'] ?? '', 'system');
  const tools = readTools(fields);
  const opening = system.text === '' ? '' : `system: ${system.text}\n`;
  const conversation = opening + spoken.map(({ role, text }) => `${role}: ${text}\n`).join('');
  const prompt = tools.length > 0 ? `${JSON.stringify(tools)}\n${conversation}` : conversation;
  const prefix = continues ? last.text : null;
  const promptTokens = countPromptTokens(prompt) + countPromptTokens(prefix ?? '');
  const asked = readNumber(fields, 'max_tokens', { min: 1, max: TOKENS_MAX, whole: true }, null);
  if (asked === null) complain('max_tokens', 'max_tokens: Field required');
  readNumber(fields, 'temperature', { min: 0, max: 1 }, null);

  return {
    model,
    streaming: fields['stream'] === true,
    prompt,
    promptTokens,
    question: spoken.findLast((turn) => turn.role === 'user' && turn.toolResult === null)?.text ?? '',
    toolResult: last?.toolResult ?? null,
    prefix,
    maxTokens: limitOutput(model, promptTokens, { tokens: asked, param: 'max_tokens' }),
    minTokens: 0,
    stop: readStop(fields['stop_sequences'], 'stop_sequences'),
    seed: null,
    choices: 1,
    tool: chooseTool(tools, fields['tool_choice'], last),
    outputSchema: null,
    reasoning: isFields(fields['thinking']) && fields['thinking']['type'] === 'enabled' ? 'medium' : 'none',
    topLogprobs: null,
    includeUsage: true,
    caches: system.caches || turns.some((turn) => turn.caches),
  };
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
