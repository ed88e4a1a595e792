/** Which conversation a chat belongs to: by the name that the caller gives it, else by how it opens. docs/routing.md. */
import type { ChatRequest } from '#schema/chat';
import { digest } from '#schema/digest';
import type { Affinity } from '#schema/facts';
import { messageTokens } from './estimate-tokens.ts';

/** A first turn shorter than this leaves too little in a cache to be worth a detour. */
const OPENING_TOKENS_MIN = 1_024;
/** About 2,000 tokens of text tell conversations apart. */
const OPENING_CHARS_MAX = 8_192;

type Message = ChatRequest['messages'][number];

/**
 * Recognises the conversation of a chat: by `session_id`, `prompt_cache_key`, else the user's name and the opening (instructions and first
 * question). Undefined for short questions that nobody named. Models are told apart, because each has caches of its own.
 */
export function affinityOf(request: ChatRequest, of: { teamId: string; promptTokens: number }): Affinity | undefined {
  const { messages, model } = request;
  const answered = lastAnswer(messages);
  const name = nameOf(request);
  if (name === null && answered < 0 && of.promptTokens <= OPENING_TOKENS_MIN) return undefined;
  return {
    key: digest([of.teamId, model, ...(name ?? openingOf(request))]),
    prefixTokens: answered < 0 ? 0 : Math.max(0, of.promptTokens - tailTokens(messages, answered)),
    isNamed: name !== null,
  };
}

function nameOf({ session_id: session, prompt_cache_key: cacheKey }: ChatRequest): [kind: string, name: string] | null {
  if (typeof session === 'string' && session !== '') return ['session', session];
  return typeof cacheKey === 'string' && cacheKey !== '' ? ['cache', cacheKey] : null;
}

/** The place of the last answer that something was said to; −1 on a first turn. A partial answer at the end is itself the last turn. */
function lastAnswer(messages: readonly Message[]): number {
  return messages.findLastIndex(({ role }, place) => role === 'assistant' && place < messages.length - 1);
}

/** What the last turn added: everything after the last answer. */
function tailTokens(messages: readonly Message[], answered: number): number {
  let tokens = 0;
  for (let place = answered + 1; place < messages.length; place++) tokens += messageTokens(messages[place] as Message);
  return Math.ceil(tokens);
}

/** The texts that a conversation keeps from its first turn on, cut to what tells it apart. */
function openingOf({ messages, user }: ChatRequest): string[] {
  const texts = ['opening', user ?? ''];
  let left = OPENING_CHARS_MAX;
  for (const { role, content } of messages) {
    if (role === 'assistant' || role === 'tool') break;
    for (const text of textsOf(content)) {
      texts.push(text.length > left ? text.slice(0, left) : text);
      left -= text.length;
      if (left <= 0) return texts;
    }
    if (role === 'user') break;
  }
  return texts;
}

function textsOf(content: Message['content']): string[] {
  if (typeof content === 'string') return [content];
  return (content ?? []).map(({ type, text }) => (typeof text === 'string' ? text : type));
}
