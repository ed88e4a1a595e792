/**
 * The client's side of a stream: what its transcript says goes out as it comes, one write for one read of the upstream, and nothing is held back.
 */
import { createTranscript, type TranscriptOptions } from './transcript.ts';

/**
 * Silence after which a comment goes out: while no upstream has answered yet, and in the middle. It keeps proxies from giving up,
 * and writing is the only way to learn that a client has left without a word.
 */
const KEEP_ALIVE_MS = 2000;
const KEEP_ALIVE = ': HEADRACE PROCESSING\n\n';

/** Creates the body of a streaming response. */
export function relayStream(options: TranscriptOptions): ReadableStream<Uint8Array> {
  const transcript = createTranscript(options);
  const encoder = new TextEncoder();
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  // Before the first upstream answers there has been silence already.
  let silent = true;
  let left = false;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if (silent && (controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(KEEP_ALIVE));
        silent = true;
      }, KEEP_ALIVE_MS);
    },
    pull: (controller) =>
      transcript.next().then((text) => {
        if (left) return;
        silent = false;
        if (text !== '') controller.enqueue(encoder.encode(text));
        if (!transcript.isEnded) return;
        clearInterval(heartbeat);
        controller.close();
      }),
    cancel() {
      left = true;
      clearInterval(heartbeat);
      transcript.leave();
    },
  });
}
