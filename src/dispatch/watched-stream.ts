import type { ReplyStream } from '#schema/reply';
import type { Watchdog } from './watchdog.ts';

/** Ties a committed stream to its watchdog: content is progress, and whoever cancels the stream ends the attempt. */
export function watchedStream(stream: ReplyStream, watchdog: Watchdog, stallMs: number): ReplyStream {
  watchdog.progress(stallMs);
  return {
    async next() {
      const events = await stream.next();
      if (events?.some((event) => event.kind === 'chunk')) watchdog.progress(stallMs);
      return events;
    },
    cancel() {
      watchdog.abort('cancelled', 'the client left');
      stream.cancel();
    },
  };
}
