/** A request for text as every dialect understands it, and the little interface that makes them interchangeable. */
import type { TextModelCard } from './card.ts';

/** Describes what to generate. Token counts are in tokens of `tokens.ts`. */
export interface Job {
  model: TextModelCard;
  streaming: boolean;
  /** The whole conversation as one text: counted, cached and hashed. Without the assistant text that is to be continued. */
  prompt: string;
  promptTokens: number;
  /** Last thing the user said: what the answer talks about. */
  question: string;
  /** What a tool returned, when the conversation ends with it. */
  toolResult: string | null;
  /** Prompts to repeat before the answers, one for each choice; empty where nobody asked for it. */
  echoes: readonly string[];
  /** Assistant text to go on from, or null to start anew. */
  prefix: string | null;
  maxTokens: number;
  /** Fewest tokens of content; the answer grows to reach it. */
  minTokens: number;
  stop: readonly string[];
  seed: number | null;
  choices: number;
  /** The tool to call, or null to answer in words. */
  tool: { name: string; schema: unknown } | null;
  /** JSON Schema that the content must satisfy; `null` for prose. */
  outputSchema: unknown;
  reasoning: 'none' | 'low' | 'medium' | 'high';
  /** How many alternatives to list per token, or null for no logprobs. */
  topLogprobs: number | null;
  /** Whether usage was asked for in a stream. */
  includeUsage: boolean;
  /** Whether every piece of a stream tells what has been used so far. */
  runningUsage: boolean;
  /** Whether the prompt cache applies. */
  caches: boolean;
  /** True where another model answers under this one's name: the fault `other-model`. */
  isOther?: boolean;
}
