/** Ends a long-running command when it is asked to, and only once. */

/** Ctrl-C reaches this process from the terminal and again through the starter: signals this close together are one. */
const SAME_SIGNAL_MS = 300;
/** A shutdown that takes longer is given up. */
const SHUTDOWN_MS_MAX = 10_000;

/** Resolves at the first SIGINT, SIGTERM or SIGHUP, or when the process that started this one is gone. A second signal ends the process at once. */
export function waitForEnd(): Promise<void> {
  return new Promise((resolve) => {
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
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
    process.once('disconnect', end);
  });
}
