import type { ReplyStream } from '#schema/reply';
import type { Watchdog } from './watchdog.ts';

/** Ties a committed stream to its watchdog: the upstream has `stallMs` for each piece, and whoever cancels the stream ends the attempt. */
export function watchedStream(stream: ReplyStream, watchdog: Watchdog, stallMs: number): ReplyStream {
  watchdog.progress(stallMs);
  // A client that reads slowly is no stall of the upstream's, and must not count against it (I9, R9).
  const paused = <Events>(events: Events): Events => {
    watchdog.pause();
    return events;
  };
  return {
    next() {
      watchdog.progress(stallMs);
      return stream.next().then(paused);
    },
    cancel() {
      watchdog.abort('cancelled', 'the client left');
      stream.cancel();
    },
  };
}
