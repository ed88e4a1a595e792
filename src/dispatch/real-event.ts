/** The commit rule's question: does this event carry something for the client? */
import type { ChatDelta } from '#schema/chat';
import type { StreamEvent } from '#schema/reply';

/** Fields that open a message without saying anything. */
const SILENT_FIELDS: ReadonlySet<string> = new Set(['role', 'name']);

/** Tells whether an event is content or a finish: an opening with only a role commits to nothing. */
export function isReal(event: StreamEvent): boolean {
  return (
    event.kind === 'chunk' && event.choices.some((choice) => choice.finish_reason != null || hasContent(choice.delta ?? choice.message))
  );
}

/** Tells whether a delta says anything. */
export function hasContent(delta: ChatDelta | undefined): boolean {
  if (delta === undefined) return false;
  for (const field in delta) {
    if (SILENT_FIELDS.has(field)) continue;
    const value = delta[field];
    if (value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)) return true;
  }
  return false;
}
