/** What routing may know of a request: numbers and needs, never the prompt. Recorded on the receipt, so a plan can be replayed. */
import type { Capability } from './catalog.ts';

export interface RequestFacts {
  teamId: string;
  /** Estimated, before any upstream has counted. */
  promptTokens: number;
  /** The caller's output limit; null when none was given. */
  maxTokens: number | null;
  /** Answers asked for at once (`n`); each is billed its own output. */
  choices: number;
  /** How much output to expect, over all choices, when comparing prices and speeds. */
  expectedCompletionTokens: number;
  stream: boolean;
  /** Capabilities without which the answer would be wrong. */
  needs: readonly Capability[];
  /** Capabilities that shape the answer but may be dropped unless `require_parameters` says otherwise. */
  wants: readonly Capability[];
  /** True when the caller asked for reasoning output. */
  reasoning: boolean;
  /** Only offers that cost nothing (`:free`). */
  freeOnly: boolean;
}
