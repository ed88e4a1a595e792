/** A simulated request in the router's own terms. */
import type { RequestFacts } from '#schema/facts';
import { hashText } from '#devnet/random';
import type { SimRequest } from '../contract.ts';

/** What admission expects of an answer whose length nobody knows. */
const EXPECTED_COMPLETION_TOKENS = 250;

/** Derives what routing may know of a request. */
export function toFacts(request: SimRequest, { keepsAffinity }: { keepsAffinity: boolean }): RequestFacts {
  const { teamId, promptTokens, maxTokens, conversation, prefixTokens } = request;
  return {
    teamId,
    operation: 'chat',
    promptTokens,
    maxTokens,
    choices: 1,
    expectedCompletionTokens: Math.min(maxTokens ?? EXPECTED_COMPLETION_TOKENS, EXPECTED_COMPLETION_TOKENS),
    stream: true,
    needs: [],
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
    ...(keepsAffinity && conversation !== null && { affinity: { key: keyOf(teamId, conversation), prefixTokens, isNamed: true } }),
  };
}

function keyOf(teamId: string, conversation: string): string {
  const name = `${teamId} ${conversation}`;
  return [hashText(name), hashText(name, 1)].map((half) => half.toString(16).padStart(8, '0')).join('');
}
