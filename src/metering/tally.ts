/** What has gone by in one answer: counts and reasons, never the text itself. */
import type { ChatChoice, ChatDelta } from '#schema/chat';
import { countTokens } from '#schema/count-tokens';
import type { Usage } from '#schema/receipt';

/** The most that a request can ask for (`n`); indexes beyond it are not kept track of. */
const CHOICES_MAX = 128;

/** What one upstream delivered. */
export interface Segment {
  /** Fractions; rounded once when the usage is settled. */
  contentTokens: number;
  reasoningTokens: number;
  /** UTF-16 units delivered, an upper bound for plausible visible tokens. */
  deliveredChars: number;
  /** The latest usage that the upstream reported, and what it had delivered by then. */
  reported: Usage | null;
  reportedAtChars: number;
  /** Epoch milliseconds; null before content. */
  firstTokenAtMs: number | null;
  lastTokenAtMs: number | null;
}

/** Counts what the upstream that answers now delivers. */
export interface Tally extends Segment {
  upstreamId: string | null;
  finishReason: string | null;
  nativeFinishReason: string | null;
  /** What others delivered before it, in order. */
  broken: Segment[];
  /** Indexes of choices that began and have not said how they finished. */
  openChoices: Set<number>;
  finishedChoices: Set<number>;
}

const NOTHING_DELIVERED: Segment = {
  contentTokens: 0,
  reasoningTokens: 0,
  deliveredChars: 0,
  reported: null,
  reportedAtChars: 0,
  firstTokenAtMs: null,
  lastTokenAtMs: null,
};

/** Starts an empty tally. */
export function createTally(): Tally {
  return {
    ...NOTHING_DELIVERED,
    upstreamId: null,
    finishReason: null,
    nativeFinishReason: null,
    broken: [],
    openChoices: new Set(),
    finishedChoices: new Set(),
  };
}

/** Cuts a tally where another upstream goes on with the answer: what comes now is counted on its own. */
export function cutTally(tally: Tally): void {
  const { contentTokens, reasoningTokens, deliveredChars, reported, reportedAtChars, firstTokenAtMs, lastTokenAtMs } = tally;
  tally.broken.push({ contentTokens, reasoningTokens, deliveredChars, reported, reportedAtChars, firstTokenAtMs, lastTokenAtMs });
  Object.assign(tally, NOTHING_DELIVERED, { upstreamId: null });
}

/** Gives the times of the first and the last content of an answer, whoever delivered them. */
export function spanOf({ broken, firstTokenAtMs, lastTokenAtMs }: Tally): Pick<Segment, 'firstTokenAtMs' | 'lastTokenAtMs'> {
  const first = broken.find((segment) => segment.firstTokenAtMs !== null);
  const last = broken.findLast((segment) => segment.lastTokenAtMs !== null);
  return { firstTokenAtMs: first?.firstTokenAtMs ?? firstTokenAtMs, lastTokenAtMs: lastTokenAtMs ?? last?.lastTokenAtMs ?? null };
}

/** Adds one event's choices and usage. */
export function addToTally(
  tally: Tally,
  event: { upstreamId: string | null; choices: readonly ChatChoice[]; usage: Usage | null },
  nowMs: number,
): void {
  tally.upstreamId ??= event.upstreamId;
  if (event.usage !== null) tally.reported = event.usage;
  for (const choice of event.choices) {
    const charsBefore = tally.deliveredChars;
    const delta = choice.delta ?? choice.message;
    if (delta !== undefined) addDelta(tally, delta);
    if (tally.deliveredChars > charsBefore) {
      tally.firstTokenAtMs ??= nowMs;
      tally.lastTokenAtMs = nowMs;
    }
    if (choice.finish_reason == null) {
      // Some servers go on with empty deltas after the finish, which opens nothing again.
      if (choice.index < CHOICES_MAX && !tally.finishedChoices.has(choice.index)) tally.openChoices.add(choice.index);
    } else {
      tally.openChoices.delete(choice.index);
      if (choice.index < CHOICES_MAX) tally.finishedChoices.add(choice.index);
      tally.finishReason ??= choice.finish_reason;
      tally.nativeFinishReason ??= choice.native_finish_reason ?? choice.finish_reason;
    }
  }
  if (event.usage !== null) tally.reportedAtChars = tally.deliveredChars;
}

/** Tells whether every choice that began has said how it finished. */
export function isFinished(tally: Tally): boolean {
  return tally.finishReason !== null && tally.openChoices.size === 0;
}

function addDelta(tally: Tally, delta: ChatDelta): void {
  addContent(tally, delta.content);
  addContent(tally, delta.refusal);
  if (typeof delta.reasoning === 'string') {
    tally.reasoningTokens += countTokens(delta.reasoning);
    tally.deliveredChars += delta.reasoning.length;
  }
  if (delta.tool_calls === undefined) return;
  for (const call of delta.tool_calls) {
    addContent(tally, call.function?.name);
    addContent(tally, call.function?.arguments);
  }
}

function addContent(tally: Tally, text: unknown): void {
  if (typeof text !== 'string') return;
  tally.contentTokens += countTokens(text);
  tally.deliveredChars += text.length;
}
