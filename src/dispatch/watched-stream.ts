import type { ReplyStream } from '#schema/reply';
import type { Watchdog } from './watchdog.ts';

/** Ties a committed stream to its watchdog: the upstream has `stallMs` for each piece, and whoever cancels the stream ends the attempt. */
export function watchedStream(stream: ReplyStream, watchdog: Watchdog, stallMs: number): ReplyStream {
  watchdog.progress(stallMs);
  return {
    async next() {
      watchdog.progress(stallMs);
      const events = await stream.next();
      // A client that reads slowly is no stall of the upstream's, and must not count against it (I9, R9).
      watchdog.pause();
      return events;
    },
    cancel() {
      watchdog.abort('cancelled', 'the client left');
      stream.cancel();
    },
  };
}
