/** How the rest of an answer is asked for, where that can be done at all. */
import type { Offer } from '#schema/catalog';
import { speaksRaw, type ChatAsk } from '../ask.ts';

/** Engines' own names for a grammar. It would begin anew in the middle of the answer, and we could not tell whether the whole obeys it. */
const GRAMMARS = ['guided_json', 'guided_regex', 'guided_choice', 'guided_grammar', 'grammar', 'json_schema', 'regex', 'ebnf'] as const;

/** Tells whether an answer to this, given by `offer`, could be gone on with: one choice of text, of which no token has to be accounted for. */
export function isContinuable(ask: ChatAsk, offer: Offer): boolean {
  const { request } = ask;
  if (request.stream !== true || (request.n ?? 1) > 1 || request.logprobs === true || request['echo'] === true) return false;
  if (GRAMMARS.some((name) => (request[name] ?? null) !== null)) return false;
  return !speaksRaw(ask, offer) || isLonePrompt(ask.native?.body ?? {});
}

/** One text, and a limit: without one, each upstream would begin to count its default anew. */
function isLonePrompt({ prompt, max_tokens: limit, suffix, echo, best_of: bestOf, logprobs }: Record<string, unknown>): boolean {
  return typeof prompt === 'string' && typeof limit === 'number' && !suffix && echo !== true && (bestOf ?? 1) === 1 && logprobs == null;
}

/** The output limit of the caller; null when there is none. */
export function limitOf({ request: { max_completion_tokens: newer, max_tokens: older } }: ChatAsk): number | null {
  return newer ?? older ?? null;
}

/** The stop sequences of the caller. */
export function stopsOf({ request: { stop } }: ChatAsk): readonly string[] {
  return (typeof stop === 'string' ? [stop] : (stop ?? [])).filter((one) => one !== '');
}

/** Tells whether the answer must be JSON. */
export function wantsJson({ request: { response_format: format } }: ChatAsk): boolean {
  return format?.type === 'json_object' || format?.type === 'json_schema';
}

export interface Rest {
  /** What the client has got, without white space at its end; empty where the answer is made from its beginning. */
  beginning: string;
  /** Tokens that it has got. */
  tokens: number;
  /** The answer had been thought about before it began. */
  hasReasoned: boolean;
  /** It is the answer to a raw prompt. */
  isRaw: boolean;
}

/**
 * Asks for the rest of an answer. It goes on in the way in which it was begun, as a message or behind a raw prompt; thinking is over, so it is
 * switched off where it was on.
 */
export function toContinuation(ask: ChatAsk, { beginning, tokens, hasReasoned, isRaw }: Rest): ChatAsk {
  const { request, native } = ask;
  if (beginning === '') return ask;
  const limits = limitsOfRest(ask, tokens);
  if (isRaw) return { ...ask, ...(native && { native: { ...native, body: { ...native.body, ...limits } } }), continues: beginning };

  const { max_completion_tokens: _limit, reasoning, reasoning_effort: effort, include_reasoning: included, ...said } = request;
  const thinks = hasReasoned || (reasoning ?? effort ?? included) != null;
  const rest = { ...said, ...limits, ...(thinks && { reasoning: { enabled: false } }) };
  return { kind: 'chat', native: undefined, request: rest, continues: beginning };
}

function limitsOfRest(ask: ChatAsk, tokens: number): { max_tokens?: number; min_tokens?: number } {
  const most = limitOf(ask);
  const least = ask.request['min_tokens'];
  return {
    ...(most !== null && { max_tokens: most - tokens }),
    ...(typeof least === 'number' && { min_tokens: Math.max(0, least - tokens) }),
  };
}
