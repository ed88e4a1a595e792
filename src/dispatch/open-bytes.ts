import type { Watchdog } from './watchdog.ts';

/**
 * Opens a binary answer: its first bytes commit it, and from there on the watchdog sees when we wait for more.
 * Null when it ends without any; throws when the connection breaks before.
 */
export async function openBytes(body: ReadableStream<Uint8Array>, watchdog: Watchdog): Promise<ReadableStream<Uint8Array> | null> {
  const reader = body.getReader();
  const first = await reader.read();
  if (first.done) return null;
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first.value),
    async pull(controller) {
      watchdog.waiting();
      const { done, value } = await reader.read();
      watchdog.arrived();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
