/** How each client API is asked, and what its answers tell: text, end, usage and cost. */
import { toNanoUsd } from '#schema/money';
import type { ChaosRequest, ClientApi } from './requests.ts';

/** What a client is told of what it used. Cached prompt tokens are among `promptTokens`. */
export interface ToldUsage {
  promptTokens: number;
  completionTokens: number;
  costNanoUsd: number;
}

/** What one event, or a whole answer, tells. */
export interface Told {
  text?: string;
  /** OpenAI's word for how the answer finished, whatever the API's own is. */
  finish?: string;
  usage?: ToldUsage;
  /** Which error it is; null where it does not say. */
  error?: { code: string | null };
  /** Nothing comes after this. */
  isEnd?: boolean;
}

/** One client API from the client's side. */
export interface Wire {
  path: string;
  bodyOf(request: ChaosRequest): Record<string, unknown>;
  /** Reads the data of one event. Throws what JSON.parse throws. */
  readEvent(data: string): Told;
  /** Reads a body that is no stream, an error's included. */
  readWhole(body: unknown): Told;
}

/** Writes the `response_format` of a list of so many items, each long enough to be broken in. */
export function jsonList(items: number): object {
  const list = { type: 'array', minItems: items, items: { const: 'a wheel turns when enough water reaches it' } };
  const schema = { type: 'object', properties: { list }, required: ['list'] };
  return { type: 'json_schema', json_schema: { name: 'list', schema, strict: true } };
}

interface ErrorBody {
  error?: { type?: string; code?: unknown; metadata?: { headrace_code?: string; error_type?: string } };
}

interface ChatBody extends ErrorBody {
  choices?: { delta?: { content?: string | null }; message?: { content?: string | null }; finish_reason?: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number; cost: number } | null;
}

const chat: Wire = {
  path: '/v1/chat/completions',
  bodyOf: ({ model, prompt, streaming, maxTokens, stop, jsonItems }) => ({
    model,
    messages: [{ role: 'user', content: prompt }],
    stream: streaming,
    ...(maxTokens !== null && { max_tokens: maxTokens }),
    ...(stop !== null && { stop: [stop] }),
    ...(jsonItems !== null && { response_format: jsonList(jsonItems) }),
  }),
  readEvent: (data) => (data === '[DONE]' ? { isEnd: true } : readChat(JSON.parse(data))),
  readWhole: (body) => ({ ...readChat(body as ChatBody), isEnd: true }),
};

function readChat({ choices = [], usage, ...rest }: ChatBody): Told {
  const [choice] = choices;
  const text = choice?.delta?.content ?? choice?.message?.content;
  return {
    ...errorIn(rest),
    ...(text && { text }),
    ...(choice?.finish_reason && { finish: choice.finish_reason }),
    ...(usage && { usage: toldUsage(usage.prompt_tokens, usage.completion_tokens, usage.cost) }),
  };
}

/** Anthropic's reasons to stop in OpenAI's words. */
const STOP_REASONS: Readonly<Record<string, string>> = { end_turn: 'stop', stop_sequence: 'stop', max_tokens: 'length' };
/** This API asks for a limit; no answer of a run is as long. */
const TOKENS_ENOUGH = 4000;

interface MessageUsage {
  input_tokens: number;
  cache_creation_input_tokens?: number;
  cache_read_input_tokens?: number;
  output_tokens: number;
  cost: number;
}

interface MessageBody extends ErrorBody {
  type?: string;
  content?: { text?: string }[];
  delta?: { text?: string; stop_reason?: string | null };
  stop_reason?: string | null;
  usage?: MessageUsage;
}

const messages: Wire = {
  path: '/v1/messages',
  bodyOf: ({ model, prompt, streaming, maxTokens, stop }) => ({
    model,
    messages: [{ role: 'user', content: prompt }],
    stream: streaming,
    max_tokens: maxTokens ?? TOKENS_ENOUGH,
    ...(stop !== null && { stop_sequences: [stop] }),
  }),
  readEvent: (data) => readMessage(JSON.parse(data)),
  readWhole: (body) => ({ ...readMessage(body as MessageBody), isEnd: true }),
};

function readMessage({ type, content, delta, stop_reason, usage, ...rest }: MessageBody): Told {
  if (type === 'message_stop') return { isEnd: true };
  // What a stream says of its usage at the start is not yet true.
  if (type === 'message_start') return {};
  const text = delta?.text ?? content?.map((block) => block.text ?? '').join('');
  const reason = delta?.stop_reason ?? stop_reason;
  return {
    ...errorIn(rest),
    ...(text && { text }),
    ...(reason && { finish: STOP_REASONS[reason] ?? reason }),
    ...(usage && { usage: toldUsage(inputTokens(usage), usage.output_tokens, usage.cost) }),
  };
}

function inputTokens({ input_tokens, cache_creation_input_tokens = 0, cache_read_input_tokens = 0 }: MessageUsage): number {
  return input_tokens + cache_creation_input_tokens + cache_read_input_tokens;
}

interface ResponseObject {
  status?: string;
  error?: { code?: string } | null;
  incomplete_details?: { reason: string } | null;
  output?: { content?: { text?: string }[] }[];
  usage?: { input_tokens: number; output_tokens: number; cost: number } | null;
}

interface ResponseEvent {
  type: string;
  delta?: string;
  response?: ResponseObject;
}

const responses: Wire = {
  path: '/v1/responses',
  bodyOf: ({ model, prompt, streaming, maxTokens }) => ({
    model,
    input: prompt,
    stream: streaming,
    ...(maxTokens !== null && { max_output_tokens: maxTokens }),
  }),
  readEvent(data) {
    const { type, delta, response } = JSON.parse(data) as ResponseEvent;
    if (type === 'response.output_text.delta') return delta ? { text: delta } : {};
    const isLast = type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed';
    return isLast && response ? readResponse(response) : {};
  },
  readWhole(body) {
    const { output = [], ...rest } = body as ResponseObject & ErrorBody;
    if (rest.status === undefined) return { ...errorIn(rest as ErrorBody), isEnd: true };
    const text = output.flatMap(({ content = [] }) => content.map((part) => part.text ?? '')).join('');
    return { ...readResponse(rest), ...(text && { text }) };
  },
};

function readResponse({ status, error, incomplete_details, usage }: ResponseObject): Told {
  return {
    isEnd: true,
    ...(status === 'failed' && { error: { code: error?.code ?? null } }),
    ...(status === 'completed' && { finish: 'stop' }),
    ...(status === 'incomplete' && { finish: incomplete_details?.reason === 'max_output_tokens' ? 'length' : 'incomplete' }),
    ...(usage && { usage: toldUsage(usage.input_tokens, usage.output_tokens, usage.cost) }),
  };
}

function errorIn({ error }: ErrorBody): Told {
  if (error === undefined) return {};
  const { metadata, type } = error;
  return { error: { code: metadata?.headrace_code ?? metadata?.error_type ?? type ?? null } };
}

function toldUsage(promptTokens: number, completionTokens: number, costUsd: number): ToldUsage {
  return { promptTokens, completionTokens, costNanoUsd: toNanoUsd(costUsd) };
}

/** The client APIs by name. */
export const WIRES: Readonly<Record<ClientApi, Wire>> = { chat, messages, responses };
