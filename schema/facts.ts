/** What routing may know of a request: numbers and needs, never the prompt. Recorded on the receipt, so a plan can be replayed. */
import type { Capability, Operation } from './catalog.ts';

/** Which conversation a request belongs to, so that it can meet the prompt cache that its earlier turns have filled. */
export interface Affinity {
  /** Digest over team and conversation, 16 hex digits; says nothing about the text. */
  key: string;
  /** Prompt tokens that an earlier turn may have left in a cache: all but what the last turn added. */
  prefixTokens: number;
  /** The caller named the conversation (`session_id`, `prompt_cache_key`): even its first turn goes to its home. */
  isNamed: boolean;
}

export interface RequestFacts {
  teamId: string;
  operation: Operation;
  /** Estimated, before any upstream has counted. */
  promptTokens: number;
  /** Prompt tokens that must fit a context at once, where that is not all of them (a batch of inputs). */
  contextTokens?: number;
  /** What the prompt may count beyond the estimate, because of media or of tools that the upstream runs itself; absent where nothing. */
  promptSlackTokens?: number;
  /** Billing units asked for at most (images, characters, seconds, searches); absent where tokens are billed. */
  unitsMax?: number;
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
  /** Operators whose signed reasoning the request replays: nobody else can read it, so they come first. */
  signedBy: readonly string[];
  /** True when the caller asked for reasoning output. */
  reasoning: boolean;
  /** Only offers that cost nothing (`:free`). */
  freeOnly: boolean;
  /** Absent where the request belongs to no conversation that could be recognised. */
  affinity?: Affinity;
}
