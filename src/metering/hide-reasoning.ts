import type { ChatChoice } from '#schema/chat';

/** Takes the reasoning out of one choice, in place. */
export function hideReasoning({ delta, message }: ChatChoice): void {
  for (const said of [delta, message]) {
    if (said === undefined) continue;
    delete said.reasoning;
    delete said.reasoning_details;
  }
}
