/** The faults that can be switched on, and which of them strike a request. What they do on the wire stands in `sabotage.ts`, `generation.ts` and `deliver.ts`. */
import type { Random } from './random.ts';

/** Says in one line what each fault does; the keys are the names that the control endpoint takes. */
export const FAULTS = {
  down: 'every connection is destroyed without an answer, on all paths',
  hang: 'headers are never sent, on all paths',
  'hang-after-headers': 'headers of a 200, then silence',
  'hang-mid-stream': 'half of the answer, then silence',
  'error-500': 'a 500 in the shape of the endpoint',
  'error-503': 'a 503 in the shape of the endpoint',
  'rate-limit': 'a 429 with Retry-After: 2',
  'error-in-200': 'a 200 whose first event (or whole body) is an error object',
  'empty-200': 'a 200 without a body',
  'html-200': 'a 200 with a web page',
  'truncated-json': 'a 200 with the first half of a JSON body, also for streams',
  'malformed-sse': 'a stream whose second event is broken JSON, after which it goes on; JSON answers stay whole',
  'die-mid-stream': 'half of the answer, then the socket is destroyed',
  'no-usage': 'usage is left out',
  'over-report-usage': 'ten times the output tokens are reported, or of what a unit operation is billed by',
  redirect: 'a 307 to another path of this devnet, where a follower is counted',
  slow: 'first token and pace take ten times as long',
} as const;

/** How many times too much `over-report-usage` says. */
export const OVER_REPORT_FACTOR = 10;

/** Names one fault. */
export type FaultName = keyof typeof FAULTS;

/** Lists the fault names in the order of the documentation. */
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** Tells whether a value names a fault. */
export function isFaultName(value: unknown): value is FaultName {
  return typeof value === 'string' && Object.hasOwn(FAULTS, value);
}

/** Chooses the faults of one request: those switched on, and each habit with its share as probability. */
export function drawFaults(
  switchedOn: ReadonlySet<FaultName>,
  habits: readonly { fault: FaultName; share: number }[],
  random: Random,
): ReadonlySet<FaultName> {
  const struck = new Set(switchedOn);
  for (const { fault, share } of habits) {
    if (random() < share) struck.add(fault);
  }
  return struck;
}
