import type { ReplyChunk } from '#schema/reply';
import type { Settlement } from '#schema/skin';

/** One committed answer on its way to the caller. What was used is known at the end only, so the last events wait for `finish`. */
export interface MessageStream {
  write(chunk: ReplyChunk): string;
  finish(settlement: Settlement): string;
}
