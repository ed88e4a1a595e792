/** Asks a running node to stop: once in peace, twice at once. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Ctrl-C reaches this process from the terminal and again through whoever started it: signals this close together are one. */
const SAME_SIGNAL_MS = 300;

export interface StopSignals {
  /** Resolves at the first signal, or when the process that started this one is gone. */
  once: Promise<void>;
  /** Resolves at a second one. */
  twice: Promise<void>;
  stopListening(): void;
}

/** Starts to listen. */
export function listenForStop(): StopSignals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let firstAtMs: number | null = null;
  const hear = (): void => {
    if (firstAtMs === null) {
      firstAtMs = performance.now();
      first.resolve();
    } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) {
      second.resolve();
    }
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  process.once('disconnect', hear);
  return {
    once: first.promise,
    twice: second.promise,
    stopListening() {
      for (const signal of SIGNALS) process.off(signal, hear);
      process.off('disconnect', hear);
    },
  };
}
