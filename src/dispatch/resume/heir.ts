/** Finds the endpoint that goes on with an answer. */
import type { AttemptFailure } from '#schema/attempt';
import type { RequestFacts } from '#schema/facts';
import { NOTHING_USED } from '#schema/receipt';
import type { ReplyStream } from '#schema/reply';
import type { ChatAsk } from '../ask.ts';
import type { Failed } from '../exhausted.ts';
import type { LiveAttempt } from '../launch.ts';
import type { DispatchCandidate, DispatchOrder, DispatchPorts } from '../order.ts';
import type { Opened } from '../read-answer.ts';

export type ChatOrder = DispatchOrder & { ask: ChatAsk };
export type Walked = { attempt: LiveAttempt; opened: Opened } | { failed: readonly Failed[] };

/** An upstream that has begun to answer. */
export interface Committed {
  attempt: LiveAttempt;
  stream: ReplyStream;
}

/** What resuming needs of dispatch; `walk` tries candidates in order until one answers. */
export interface ResumePorts extends Pick<DispatchPorts, 'now' | 'retryBudget'> {
  walk(order: DispatchOrder): Promise<Walked>;
}

export interface Search {
  /** The order of the rest of the answer, but for candidates and attempts. */
  order: ChatOrder;
  heirs(): readonly DispatchCandidate[];
  attemptsLeft(): number;
}

export const LEFT: AttemptFailure = { kind: 'cancelled', origin: 'local', detail: 'the client left' };

/**
 * Tries who may go on until one does; null when nobody does or the client has left. The first try is free: all streams of a node break at once
 * when it dies, and each was as good as answered. Further ones draw on the retry budget (R3).
 */
export async function findHeir({ order, heirs, attemptsLeft }: Search, { walk, retryBudget }: ResumePorts): Promise<Committed | null> {
  let isFree = true;
  for (let candidates = heirs(); candidates.length > 0 && attemptsLeft() > 0; candidates = heirs()) {
    if (!isFree && !retryBudget.withdraw()) return null;
    isFree = false;
    const walked = await walk({ ...order, candidates, maxAttempts: attemptsLeft(), hedge: false });
    if ('attempt' in walked) return committed(walked, order);
    // The caller's request has been taken before: what is refused now is our way to ask for its rest, which others may understand.
    if (walked.failed.at(-1)?.failure.kind !== 'rejected') return null;
  }
  return null;
}

/** Says how large the rest of a request is of which `tokens` have been delivered. */
export function factsOfRest(facts: RequestFacts, tokens: number): RequestFacts {
  return {
    ...facts,
    promptTokens: facts.promptTokens + tokens,
    ...(facts.contextTokens !== undefined && { contextTokens: facts.contextTokens + tokens }),
    maxTokens: facts.maxTokens === null ? null : Math.max(1, facts.maxTokens - tokens),
    expectedCompletionTokens: Math.max(1, facts.expectedCompletionTokens - tokens),
  };
}

function committed({ attempt, opened }: { attempt: LiveAttempt; opened: Opened }, { clientSignal, facts }: ChatOrder): Committed | null {
  const stream = opened.kind === 'stream' ? opened.stream : null;
  if (stream !== null && !clientSignal.aborted) return { attempt, stream };
  // It answered when nobody was there any more; what it has read will be billed.
  stream?.cancel();
  const usage = { ...NOTHING_USED, promptTokens: facts.promptTokens };
  attempt.finish({ outcome: 'cancelled', failure: LEFT, usage, firstTokenAtMs: null });
  return null;
}
