/** Understands an OpenAI chat completion request. */
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

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const CHOICES_MAX = 8;
/** Shape of an answer to `json_object`. */
const FREE_JSON_SCHEMA = { type: 'object', properties: { simulated: { const: true } }, required: ['simulated', 'answer'] };

/** How a system message words that the answer is to be JSON: with a schema at its end, or without one. */
const SCHEMA_IN_WORDS = /JSON Schema:\s*(\{.*\})\s*$/su;
const JSON_IN_WORDS = /\bone JSON object\b/u;

interface Message {
  role: string;
  text: string;
  toolCalls: string;
}

/** Parses the body into a job, or says what is wrong with it. */
export function parseOpenaiRequest(body: unknown, card: EndpointCard): Job | Refusal {
  return catchComplaint(() => toJob(readBody(body), card));
}

function toJob(fields: Fields, card: EndpointCard): Job {
  const model = readTextModel(fields, card);
  const messages = readList(fields, 'messages').map((message, index) => readMessage(message, index, card));
  const last = messages.at(-1);
  const continues =
    card.capabilities.includes('continuation') &&
    fields['continue_final_message'] === true &&
    fields['add_generation_prompt'] === false &&
    last?.role === 'assistant';
  const spoken = continues ? messages.slice(0, -1) : messages;
  const asking = spoken.at(-1);
  const streamOptions = isFields(fields['stream_options']) ? fields['stream_options'] : {};
  const tools = readTools(fields);
  const conversation = spoken.map(({ role, text, toolCalls }) => `${role}: ${text}${toolCalls}\n`).join('');
  const prompt = tools.length > 0 ? `${JSON.stringify(tools)}\n${conversation}` : conversation;
  const prefix = continues && last !== undefined ? last.text : null;
  const promptTokens = countPromptTokens(prompt) + countPromptTokens(prefix ?? '');
  const bounds = { min: 1, max: TOKENS_MAX, whole: true };
  const asked = readNumber(fields, 'max_completion_tokens', bounds, null) ?? readNumber(fields, 'max_tokens', bounds, null);
  const maxTokens = limitOutput(model, promptTokens, { tokens: asked, param: 'max_tokens' });
  readNumber(fields, 'temperature', { min: 0, max: 2 }, null);
  readNumber(fields, 'top_p', { min: 0, max: 1 }, null);

  return {
    model,
    streaming: fields['stream'] === true,
    prompt,
    promptTokens,
    question: spoken.findLast((message) => message.role === 'user')?.text ?? '',
    toolResult: asking?.role === 'tool' ? asking.text : null,
    echoes: [],
    prefix,
    maxTokens,
    minTokens: fields['ignore_eos'] === true ? maxTokens : readNumber(fields, 'min_tokens', { min: 0, max: maxTokens, whole: true }, 0),
    stop: readStop(fields['stop'], 'stop'),
    seed: readNumber(fields, 'seed', { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, whole: true }, null),
    choices: readChoices(fields, card),
    tool: continues ? null : chooseTool(tools, fields['tool_choice'], last?.role),
    outputSchema: readOutputSchema(fields['response_format']) ?? readSchemaInWords(spoken),
    reasoning: readEffort(fields),
    topLogprobs: readTopLogprobs(fields, card),
    includeUsage: streamOptions['include_usage'] === true,
    runningUsage: streamOptions['continuous_usage_stats'] === true && card.capabilities.includes('continuation'),
    caches: card.node !== null,
  };
}

function readMessage(message: unknown, index: number, card: EndpointCard): Message {
  const where = `messages[${index}]`;
  if (!isFields(message)) complain(where, `'${where}' must be an object.`);
  const role = message['role'];
  if (typeof role !== 'string' || !ROLES.includes(role)) complain(`${where}.role`, `'${where}.role' must be one of ${ROLES.join(', ')}.`);
  const toolCalls = message['tool_calls'] === undefined ? '' : JSON.stringify(message['tool_calls']);
  return { role, text: readContent(message['content'], `${where}.content`, card), toolCalls };
}

function readContent(content: unknown, where: string, card: EndpointCard): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) complain(where, `'${where}' must be a string or a list of parts.`);
  return content
    .map((part: unknown, index) => {
      if (isFields(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text'];
      if (isFields(part) && part['type'] === 'image_url' && card.capabilities.includes('vision')) return IMAGE_TEXT;
      return complain(`${where}[${index}]`, `'${where}[${index}]' is not a part that this model takes.`);
    })
    .join('');
}

interface Tool {
  name: string;
  schema: unknown;
}

function readTools(fields: Fields): Tool[] {
  const tools = fields['tools'];
  if (tools === undefined || tools === null) return [];
  if (!Array.isArray(tools)) complain('tools', "'tools' must be a list.");
  return tools.map((tool: unknown, index) => {
    const definition = isFields(tool) && isFields(tool['function']) ? tool['function'] : null;
    const name = definition?.['name'];
    if (definition === null || typeof name !== 'string') complain(`tools[${index}]`, `'tools[${index}].function.name' must be a string.`);
    return { name, schema: definition['parameters'] ?? { type: 'object' } };
  });
}

function chooseTool(tools: readonly Tool[], choice: unknown, lastRole: string | undefined): Tool | null {
  if (isFields(choice)) {
    const name = isFields(choice['function']) ? choice['function']['name'] : undefined;
    const named = tools.find((tool) => tool.name === name);
    if (named === undefined) complain('tool_choice', `'tool_choice' names a tool that is not among 'tools'.`);
    return named;
  }
  return choice !== 'none' && lastRole === 'user' ? (tools[0] ?? null) : null;
}

function readOutputSchema(format: unknown): unknown {
  if (!isFields(format) || format['type'] === 'text') return null;
  if (format['type'] === 'json_object') return FREE_JSON_SCHEMA;
  const named = format['json_schema'];
  if (format['type'] === 'json_schema' && isFields(named)) return named['schema'] ?? FREE_JSON_SCHEMA;
  return complain('response_format', "'response_format.type' must be one of text, json_object, json_schema.");
}

/** Follows a system message as a model would: what is asked for in words is given where no field asks for anything. */
function readSchemaInWords(messages: readonly Message[]): unknown {
  const system = messages.find(({ role }) => role === 'system')?.text ?? '';
  const schema = SCHEMA_IN_WORDS.exec(system)?.[1];
  try {
    if (schema !== undefined) return JSON.parse(schema);
  } catch {
    // Words that only look like a schema.
  }
  return JSON_IN_WORDS.test(system) ? FREE_JSON_SCHEMA : null;
}

function readEffort(fields: Fields): Job['reasoning'] {
  const effort = isFields(fields['reasoning']) ? fields['reasoning']['effort'] : fields['reasoning_effort'];
  // gpt-oss always thinks: asked not to, it thinks little.
  if (effort === 'none' || effort === 'minimal') return 'low';
  return effort === 'low' || effort === 'high' ? effort : 'medium';
}

function readChoices(fields: Fields, card: EndpointCard): number {
  const max = card.capabilities.includes('n') ? CHOICES_MAX : 1;
  return readNumber(fields, 'n', { min: 1, max, whole: true }, 1);
}

function readTopLogprobs(fields: Fields, card: EndpointCard): number | null {
  if (fields['logprobs'] !== true || !card.capabilities.includes('logprobs')) return null;
  return readNumber(fields, 'top_logprobs', { min: 0, max: 20, whole: true }, 0);
}
