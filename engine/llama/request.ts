/** Reads what clients ask for: the fields of OpenAI's completions and chat completions that this engine acts on. */
import { randomInt } from 'node:crypto';
import type { Message, Sampling } from './engine.ts';
import { Complaint, invalid, type Refusal } from './refusal.ts';

const STOP_WORDS_MAX = 16;
const TOP_LOGPROBS_MAX = 20;
const SEED_MAX = 2 ** 32 - 1;

/** What to generate, and how to say it. */
export interface Wish {
  kind: 'chat' | 'text';
  sampling: Sampling;
  /** Null: until the model ends or the context is full. */
  maxTokens: number | null;
  stopWords: string[];
  /** Likeliest tokens to tell at each place; null: no logprobs at all. */
  topLogprobs: number | null;
  streaming: boolean;
  includeUsage: boolean;
  prompt: { text: string } | { messages: Message[]; continuation: string };
}

type Fields = Record<string, unknown>;

/** Reads the body of a completion. Fields that it does not know are left alone; wishes that it cannot fulfil are refused. */
export function readWish(kind: Wish['kind'], body: unknown): Wish | Refusal {
  try {
    if (!isFields(body)) throw new Complaint('the body must be a JSON object');
    refuseUnsupported(body);
    return {
      kind,
      sampling: {
        temperature: numberOf(body, 'temperature', { min: 0, max: 10 }) ?? 1,
        topK: numberOf(body, 'top_k', { min: 0, max: 1e6, whole: true }) ?? 0,
        topP: numberOf(body, 'top_p', { min: 0, max: 1 }) ?? 1,
        minP: numberOf(body, 'min_p', { min: 0, max: 1 }) ?? 0,
        seed: numberOf(body, 'seed', { min: -1, max: SEED_MAX, whole: true }) ?? randomInt(SEED_MAX),
      },
      maxTokens:
        numberOf(body, 'max_completion_tokens', { min: 1, max: 1e9, whole: true }) ??
        numberOf(body, 'max_tokens', { min: 1, max: 1e9, whole: true }),
      stopWords: stopWordsOf(body['stop']),
      topLogprobs: kind === 'chat' ? chatLogprobsOf(body) : numberOf(body, 'logprobs', { min: 0, max: TOP_LOGPROBS_MAX, whole: true }),
      streaming: body['stream'] === true,
      includeUsage: isFields(body['stream_options']) && body['stream_options']['include_usage'] === true,
      prompt: kind === 'chat' ? conversationOf(body) : { text: textOf(body['prompt'], 'prompt') },
    };
  } catch (error) {
    if (error instanceof Complaint) return invalid(error.message);
    throw error;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseUnsupported(body: Fields): void {
  for (const name of ['n', 'best_of'])
    if ((numberOf(body, name, { min: 1, max: 1e6, whole: true }) ?? 1) > 1) throw new Complaint(`'${name}' above 1 is not supported`);
  if (Array.isArray(body['tools']) && body['tools'].length > 0 && body['tool_choice'] !== 'none')
    throw new Complaint("'tools' are not supported by this model");
  const format = body['response_format'];
  if (isFields(format) && format['type'] !== 'text') throw new Complaint("'response_format' other than text is not supported");
}

function numberOf(fields: Fields, name: string, bounds: { min: number; max: number; whole?: true }): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  const fits =
    typeof value === 'number' && value >= bounds.min && value <= bounds.max && (bounds.whole === undefined || Number.isInteger(value));
  if (!fits)
    throw new Complaint(`'${name}' must be ${bounds.whole === true ? 'an integer' : 'a number'} from ${bounds.min} to ${bounds.max}`);
  return value;
}

function chatLogprobsOf(body: Fields): number | null {
  return body['logprobs'] === true ? (numberOf(body, 'top_logprobs', { min: 0, max: TOP_LOGPROBS_MAX, whole: true }) ?? 0) : null;
}

function stopWordsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const words: unknown[] = Array.isArray(value) ? value : [value];
  if (words.length > STOP_WORDS_MAX || !words.every((word) => typeof word === 'string' && word !== ''))
    throw new Complaint(`'stop' must be a string or at most ${STOP_WORDS_MAX} strings`);
  return words as string[];
}

/** Splits off a last message of the assistant: the model goes on from it, as llama-server's does, unless the caller says otherwise. */
function conversationOf(body: Fields): { messages: Message[]; continuation: string } {
  const items = body['messages'];
  if (!Array.isArray(items) || items.length === 0) throw new Complaint("'messages' must be a list with at least one message");
  const messages = items.map((item: unknown, place) => messageOf(item, `messages[${place}]`));
  const last = messages.at(-1);
  const continues = last?.role === 'assistant' && body['continue_final_message'] !== false;
  return continues ? { messages: messages.slice(0, -1), continuation: last.content } : { messages, continuation: '' };
}

function messageOf(item: unknown, where: string): Message {
  if (!isFields(item) || typeof item['role'] !== 'string') throw new Complaint(`'${where}' must be an object with a role`);
  return { role: item['role'], content: textOf(item['content'] ?? '', `${where}.content`) };
}

function textOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw new Complaint(`'${where}' must be a string`);
  const parts = value.map((part: unknown) => {
    const text = isFields(part) && part['type'] === 'text' ? part['text'] : undefined;
    if (typeof text !== 'string') throw new Complaint(`'${where}' must be a string or a list of text parts`);
    return text;
  });
  return parts.join('');
}
