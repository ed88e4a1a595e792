/** The faults that can be switched on, and which of them strike a request. What they do on the wire stands in `sabotage.ts`, `generation.ts` and `deliver.ts`. */
import type { Random } from './random.ts';

/** Says in one line what each fault does; the keys are the names that the control endpoint takes. */
export const FAULTS = {
  down: 'every connection is destroyed without an answer, on all paths',
  hang: 'headers are never sent, on all paths',
  'hang-after-headers': 'headers of a 200, then silence',
  'hang-mid-stream': 'half of the answer, then silence',
  'stall-mid-stream': 'half of the answer, 8 s of silence, then the rest',
  'error-500': 'a 500 in the shape of the endpoint',
  'error-503': 'a 503 in the shape of the endpoint',
  'rate-limit': 'a 429 with Retry-After: 2',
  'retry-after-abuse': 'a 429 that asks for thirty years or for minus one second, by turns',
  'error-in-200': 'a 200 whose first event (or whole body) is an error object',
  'empty-200': 'a 200 without a body',
  'html-200': 'a 200 with a web page',
  'truncated-json': 'a 200 with the first half of a JSON body, also for streams',
  'malformed-sse': 'a stream whose second event is broken JSON, after which it goes on; JSON answers stay whole',
  'die-mid-stream': 'half of the answer, then the socket is destroyed',
  'die-mid-event': 'half of the answer and a part of the next event, then the socket is destroyed',
  'empty-first-event': 'a first event without content at once, the first token ten times as late',
  'no-usage': 'usage is left out',
  'over-report-usage': 'ten times the output tokens are reported, or of what a unit operation is billed by',
  'other-model': 'answers are those of another model under the same name, log-probabilities too; only switched on, no habit',
  redirect: 'a 307 to another path of this devnet, where a follower is counted',
  slow: 'first token and pace take ten times as long',
  'probe-cheat': 'requests for at most 16 tokens are served as usual, all others ten times as slowly',
  'long-prompt-500': 'a 500 for prompts above 2,000 tokens',
} as const;

/** How many times too much `over-report-usage` says. */
export const OVER_REPORT_FACTOR = 10;
/** The longest answer that `probe-cheat` takes for a probe. */
const PROBE_TOKENS_MAX = 16;
/** The longest prompt that `long-prompt-500` lets through. */
const SHORT_PROMPT_TOKENS_MAX = 2000;

/** Names one fault. */
export type FaultName = keyof typeof FAULTS;

/** Lists the fault names in the order of the documentation. */
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** Tells whether a value names a fault. */
export function isFaultName(value: unknown): value is FaultName {
  return typeof value === 'string' && Object.hasOwn(FAULTS, value);
}

/** Tells whether a request for so many tokens is served ten times as slowly. */
export function isSlowed(faults: ReadonlySet<FaultName>, maxTokens: number): boolean {
  return faults.has('slow') || (faults.has('probe-cheat') && maxTokens > PROBE_TOKENS_MAX);
}

/** Tells whether a prompt is too long for an endpoint that fails on long ones. */
export function isFailedByLength(faults: ReadonlySet<FaultName>, promptTokens: number): boolean {
  return faults.has('long-prompt-500') && promptTokens > SHORT_PROMPT_TOKENS_MAX;
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
