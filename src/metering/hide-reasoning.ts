import type { ChatChoice, ChatRequest } from '#schema/chat';

/** Tells whether a caller asked for the answer alone (`reasoning.exclude`, or OpenRouter's older `include_reasoning: false`). */
export function asksToHideReasoning(request: Pick<ChatRequest, 'reasoning' | 'include_reasoning'>): boolean {
  return request.reasoning?.exclude === true || request.include_reasoning === false;
}

/** Takes the reasoning out of one choice, in place. */
export function hideReasoning({ delta, message }: ChatChoice): void {
  for (const said of [delta, message]) {
    if (said === undefined) continue;
    delete said.reasoning;
    delete said.reasoning_details;
  }
}
