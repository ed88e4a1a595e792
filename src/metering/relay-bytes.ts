/** The client's side of a binary answer: bytes go out as they come in, and somebody is told how it ended. */
import type { AttemptFailure } from '#schema/attempt';

/** How a binary answer ended. */
export type BytesEnd = { state: 'completed' } | { state: 'interrupted'; failure: AttemptFailure } | { state: 'cancelled' };

const BROKEN: AttemptFailure = { kind: 'connect', origin: 'local', detail: 'the connection broke in the middle of the answer' };

/** Relays `source`. `onEnd` is called exactly once; a source that breaks breaks the answer too, so that the client sees it. */
export function relayBytes(source: ReadableStream<Uint8Array>, onEnd: (end: BytesEnd) => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd({ state: 'completed' });
        controller.close();
      } catch (cause) {
        onEnd({ state: 'interrupted', failure: BROKEN });
        controller.error(cause);
      }
    },
    async cancel() {
      onEnd({ state: 'cancelled' });
      await reader.cancel();
    },
  });
}
