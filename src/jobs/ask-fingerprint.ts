/** One short request to an endpoint for what it holds likely, or says: like a client's, through the same attempt, with nobody waiting for the answer. */
import type { Attempt } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import { NOTHING_USED, type Usage } from '#schema/receipt';
import { chatFacts } from '#src/admission/facts';
import { launch } from '#src/dispatch/launch';
import { settleUsage } from '#src/metering/settle-usage';
import { addToTally, createTally } from '#src/metering/tally';
import { drawCount } from '#src/nodes/probe/draw';
import { drawLimit, everydayRequest } from '#src/nodes/probe/everyday';
import type { Said } from '#src/nodes/probe/compare-text';
import { readFingerprint, type Fingerprint } from '#src/nodes/probe/fingerprint';
import type { Asked } from './canary-receipt.ts';
import { CANARY_TEAM_ID, createListener, type CanaryPorts } from './send-canary.ts';

const DEADLINE_MS = 6_000;
/** Slow enough for a stall to be judged by the deadline alone. */
const TPOT_MS = 100;
const TOKENS_LEAST = 8;
const TOKENS_MOST = 16;
const TEXT_TOKENS_LEAST = 16;
const TEXT_TOKENS_MOST = 24;

/** A request that has ended. */
export interface FingerprintEnd extends Asked {
  /** Null where no log probabilities came. */
  fingerprint: Fingerprint | null;
  /** Null where no answer came. */
  said: Said | null;
}

/** Draws a request: an everyday one, greedy, for a few tokens and what else was likely. */
export function fingerprintRequest(model: string, random: () => number): ChatRequest {
  const { messages } = everydayRequest(random, { maxTokensLeast: TOKENS_LEAST, maxTokensMost: TOKENS_MOST });
  return {
    model,
    messages,
    max_tokens: drawLimit(TOKENS_LEAST, TOKENS_MOST, random),
    temperature: 0,
    logprobs: true,
    top_logprobs: drawCount(4, 5, random),
  };
}

/** Draws a request for what is said to it greedily. */
export function textRequest(model: string, random: () => number): ChatRequest {
  const { messages } = everydayRequest(random, { maxTokensLeast: TEXT_TOKENS_LEAST, maxTokensMost: TEXT_TOKENS_MOST });
  return { model, messages, max_tokens: drawLimit(TEXT_TOKENS_LEAST, TEXT_TOKENS_MOST, random), temperature: 0 };
}

/** Asks. Whatever goes wrong comes back as a failed attempt. At most six seconds, and no longer than until `endsAtMs`. */
export async function askFingerprint(offer: Offer, request: ChatRequest, ports: CanaryPorts, endsAtMs = Infinity): Promise<FingerprintEnd> {
  const facts = chatFacts(request, { teamId: CANARY_TEAM_ID, freeOnly: false });
  const trail: Attempt[] = [];
  const tally = createTally();
  const live = launch(
    {
      candidate: { offer, cachedTokens: 0, tpotMs: TPOT_MS },
      role: 'canary',
      ask: { kind: 'chat', request, native: undefined },
      firstTokenTimeoutMs: DEADLINE_MS,
      marksReasoning: false,
    },
    { facts, trail, deadlineAtMs: Math.min(ports.now() + DEADLINE_MS, endsAtMs), clientSignal: new AbortController().signal },
    { ...ports, health: createListener() },
  );
  const result = await live.result;
  let usage: Usage = NOTHING_USED;
  let fingerprint: Fingerprint | null = null;
  let said: Said | null = null;
  if ('opened' in result && result.opened.kind === 'json') {
    const { reply } = result.opened;
    addToTally(tally, reply, ports.now());
    usage = settleUsage(tally, facts.promptTokens, offer, true);
    const [choice] = reply.choices;
    fingerprint = readFingerprint(choice?.logprobs);
    said = choice?.message === undefined ? null : { content: choice.message.content ?? '', reasoning: choice.message.reasoning ?? '' };
    live.finish({ outcome: 'completed', failure: null, usage, firstTokenAtMs: null });
  }
  const [attempt] = trail;
  if (attempt === undefined) throw new Error('an attempt ends in its trail');
  return { canary: { offer }, facts, attempt, usage, tally, fingerprint, said };
}
