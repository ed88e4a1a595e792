import type { ChatChoice } from '#schema/chat';

/** How an answer ended, in this API's words. */
export interface Stop {
  stop_reason: string;
  stop_sequence: string | null;
}

/** Reasons that only this API has; an upstream that says them means them. */
const OWN_REASONS: ReadonlySet<string> = new Set(['end_turn', 'stop_sequence', 'pause_turn', 'model_context_window_exceeded']);

const REASONS: ReadonlyMap<string | null, string> = new Map([
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['content_filter', 'refusal'],
]);

/**
 * Says how a choice finished. Servers that name the stop sequence that they met do so in `stop_reason` or `matched_stop`;
 * some say `stop` after a tool call, and some refuse in so many words.
 */
export function toStop(choice: Partial<ChatChoice>, answer: { stops: readonly string[]; callsTools: boolean; refuses: boolean }): Stop {
  const met = [choice['stop_reason'], choice['matched_stop']].find((stop) => answer.stops.includes(stop as string));
  if (typeof met === 'string') return { stop_reason: 'stop_sequence', stop_sequence: met };
  return { stop_reason: toReason(choice, answer), stop_sequence: null };
}

function toReason(
  { finish_reason: finish = null, native_finish_reason: native }: Partial<ChatChoice>,
  answer: { callsTools: boolean; refuses: boolean },
): string {
  const reason = REASONS.get(finish);
  if (reason !== undefined) return reason;
  if (answer.callsTools) return 'tool_use';
  if (answer.refuses) return 'refusal';
  return native && OWN_REASONS.has(native) ? native : 'end_turn';
}
