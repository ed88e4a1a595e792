/** How many requests of one isolate each endpoint has now. */

/** Counts up when sent, down when ended; never below zero. */
export interface Pending {
  sent(endpointId: string): void;
  ended(endpointId: string): void;
  of(endpointId: string): number;
}

/** Creates a counter in which nothing is pending. */
export function createPending(): Pending {
  const counts = new Map<string, number>();
  const of = (endpointId: string): number => counts.get(endpointId) ?? 0;
  return {
    sent: (endpointId) => void counts.set(endpointId, of(endpointId) + 1),
    ended: (endpointId) => void counts.set(endpointId, Math.max(0, of(endpointId) - 1)),
    of,
  };
}
