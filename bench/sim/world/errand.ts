/** What a call asks of an endpoint, in tokens. */
import type { CallOrder } from '../contract.ts';

/** An ordinary short prompt, as canaries send it. */
const CANARY_PROMPT_TOKENS = 24;

export interface Errand {
  promptTokens: number;
  outputTokens: number;
  blocks: readonly number[];
  isCanary: boolean;
}

/** Reads an order. A call that goes on with an answer sends what was delivered as part of its prompt, and gets the rest. */
export function toErrand({ request, role, deliveredTokens = 0 }: Pick<CallOrder, 'request' | 'role' | 'deliveredTokens'>): Errand {
  const isCanary = role === 'canary';
  if (request === null) return { promptTokens: CANARY_PROMPT_TOKENS, outputTokens: 1, blocks: [], isCanary };
  return {
    promptTokens: request.promptTokens + deliveredTokens,
    outputTokens: Math.max(1, Math.min(request.outputTokens, request.maxTokens ?? Infinity) - deliveredTokens),
    blocks: request.blocks,
    isCanary,
  };
}
