/** Ends a long-running command when it is asked to, and only once. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C reaches this process from the terminal and again through the starter: signals this close together are one. */
const SAME_SIGNAL_MS = 300;
/** A shutdown that takes longer is given up. */
const SHUTDOWN_MS_MAX = 10_000;

export interface Shutdown {
  /** Resolves at the first SIGINT, SIGTERM or SIGHUP, or when the process that started this one is gone. */
  asked: Promise<void>;
  /** Drops what libraries do at a signal, which is to end the process before ours has finished. Call when everything has started. */
  takeOver(): void;
}

/** Starts to listen. A second signal ends the process at once. */
export function listenForShutdown(): Shutdown {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  let firstAtMs: number | undefined;
  const end = (): void => {
    if (firstAtMs === undefined) {
      firstAtMs = Date.now();
      setTimeout(() => process.exit(1), SHUTDOWN_MS_MAX).unref();
      resolve();
    } else if (Date.now() - firstAtMs > SAME_SIGNAL_MS) {
      process.exit(130);
    }
  };
  process.once('disconnect', end);
  for (const signal of SIGNALS) process.on(signal, end);
  return {
    asked,
    takeOver() {
      for (const signal of SIGNALS) process.removeAllListeners(signal).on(signal, end);
    },
  };
}
