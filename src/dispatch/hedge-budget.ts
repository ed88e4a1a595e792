/**
 * Limits hedges to a share of the traffic and of what it costs, so that a slow hour cannot double both.
 * Two token buckets, of requests and of money (docs/routing.md); a hedge must be covered by both.
 */
const SHARE_OF_REQUESTS = 0.03;
/** What the bucket of requests holds, and what a fresh isolate starts with. */
const BURST = 10;
/** The bucket of money holds what this many typical requests cost. */
const TYPICAL_REQUESTS_MAX = 50;
/** Weight of the newest request in what is typical. */
const TYPICAL_GAIN = 0.05;

/** What may be spent on hedges. */
export interface HedgeBudget {
  /** Notes one client request and its expected cost, which earn a share of a hedge. */
  deposit(expectedNanoUsd: number): void;
  /** Tells whether a hedge may be sent that would waste this much. */
  covers(wasteNanoUsd: number): boolean;
  /** Takes what a hedge is expected to waste; ask `covers` before. */
  withdraw(wasteNanoUsd: number): void;
}

/** Creates the budget of this isolate. It keeps no time: only traffic fills it. */
export function createHedgeBudget(): HedgeBudget {
  let requests = BURST;
  let nanoUsd = 0;
  /** Mean logarithm of the cost of a request: one giant among a thousand small ones hardly moves it. Null: none has cost anything yet. */
  let typicalLog: number | null = null;

  return {
    deposit(expectedNanoUsd) {
      requests = Math.min(BURST, requests + SHARE_OF_REQUESTS);
      if (!(expectedNanoUsd > 0)) return;
      const costLog = Math.log(expectedNanoUsd);
      if (typicalLog === null) nanoUsd = BURST * expectedNanoUsd;
      typicalLog = typicalLog === null ? costLog : typicalLog + TYPICAL_GAIN * (costLog - typicalLog);
      nanoUsd = Math.min(TYPICAL_REQUESTS_MAX * Math.exp(typicalLog), nanoUsd + SHARE_OF_REQUESTS * expectedNanoUsd);
    },
    covers: (wasteNanoUsd) => requests >= 1 && nanoUsd >= wasteNanoUsd,
    withdraw(wasteNanoUsd) {
      requests -= 1;
      nanoUsd -= wasteNanoUsd;
    },
  };
}
