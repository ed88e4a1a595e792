/** A request as both dialects understand it, and the little interface that makes them interchangeable. */
import type { Answer } from './answer.ts';
import type { EndpointCard, ModelCard } from './card.ts';
import type { Refusal } from './error-family.ts';

/** Describes what to generate. Token counts are in tokens of `tokens.ts`. */
export interface Job {
  model: ModelCard;
  streaming: boolean;
  /** The whole conversation as one text: counted, cached and hashed. Without the assistant text that is to be continued. */
  prompt: string;
  promptTokens: number;
  /** Last thing the user said: what the answer talks about. */
  question: string;
  /** What a tool returned, when the conversation ends with it. */
  toolResult: string | null;
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
  /** Whether the prompt cache applies. */
  caches: boolean;
}

/** Counts the tokens of a whole response, all choices together. */
export interface TokenUsage {
  promptTokens: number;
  /** Part of `promptTokens`. */
  cachedTokens: number;
  completionTokens: number;
  /** Part of `completionTokens`. */
  reasoningTokens: number;
}

/** Gathers what a dialect needs to write a response. `usage` null leaves it out. */
export interface Reply {
  id: string;
  createdAtS: number;
  card: EndpointCard;
  job: Job;
  answers: readonly Answer[];
  usage: TokenUsage | null;
}

/** One piece of a stream, sent when its tokens have been generated. */
export interface Frame {
  text: string;
  tokens: number;
}

/** Speaks one wire format. Pure: no time, no sockets. */
export interface Dialect {
  /** Understands a JSON body, or says what is wrong with it. */
  parse(body: unknown, card: EndpointCard, headers: Record<string, string | string[] | undefined>): Job | Refusal;
  renderBody(reply: Reply): Record<string, unknown>;
  renderFrames(reply: Reply): Frame[];
  /** Renders an error as the event that stands inside a stream. */
  renderErrorFrame(card: EndpointCard, refusal: Refusal): string;
}
