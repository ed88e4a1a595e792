/** What a wire format must be able to do here, and what it is given. */
import type { Answer } from './answer.ts';
import type { EndpointCard } from './card.ts';
import type { Refusal } from './error-family.ts';
import type { Job } from './job.ts';

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
