/**
 * The client's side of an API, mirrored to what a dialect is for upstreams: a skin reads one API's requests into the common shape
 * and writes answers, streams and errors in that API's words. Pure; the hall does everything else.
 */
import type { Capability, Operation, WireId } from './catalog.ts';
import type { ChatRequest } from './chat.ts';
import type { GatewayError } from './error.ts';
import type { ProviderWishes } from './policy.ts';
import type { ApiKind, Usage } from './receipt.ts';
import type { DecodedReply, ReplyChunk } from './reply.ts';
import type { UnitBody, UnitReply } from './unit.ts';

/** What every answer of one request is labelled with. */
export interface AnswerLabels {
  /** The generation id (`gen-…`), the same in headers, body and receipt. */
  id: string;
  /** Epoch seconds. */
  createdAtS: number;
  /** The model that answers. */
  model: string;
  /** The provider's display name. */
  provider: string;
}

/** What a request used and is charged, as the ledger captures it. */
export interface Settlement {
  usage: Usage;
  /** What the customer pays. */
  chargedNanoUsd: number;
  /** The prompt's part of it. */
  promptNanoUsd: number;
  /** What the team's own provider key was billed beside that, at list price, and the prompt's part of it; absent where the house's keys served. */
  byok?: { totalNanoUsd: number; promptNanoUsd: number };
  /** When the answer was complete, epoch seconds. */
  endedAtS: number;
  /** OpenRouter's explanation of the route, where the caller opted in. */
  routerMetadata: object | null;
}

/** Writes one streamed answer as server-sent events. Every method returns the text to send, complete frames or nothing. */
export interface Scribe {
  /** An upstream has committed; called once, before any `write`. */
  open(labels: Pick<AnswerLabels, 'model' | 'provider'>): string;
  /** One event of the upstream. Reasoning that the caller hides is already taken out. */
  write(chunk: ReplyChunk): string;
  /** The answer is complete. `openChoices` began and never said how they finished: they finish with `stop`. */
  finish(settlement: Settlement, openChoices: readonly number[]): string;
  /** The answer ends in an error, before or after `open`. `settlement` is null when nothing was delivered. */
  fail(error: GatewayError, settlement: Settlement | null): string;
}

/** A request as the client wrote it. */
export interface NativeRequest {
  dialect: WireId;
  body: Record<string, unknown>;
  /** Headers that are part of what is asked, such as the trial features that the body uses. Nothing else of the client's goes upstream. */
  headers?: Readonly<Record<string, string>>;
}

/** What a request asks for where its common shape does not show it: prompts of token ids, several prompts at once. */
export interface PromptSize {
  promptTokens: number;
  /** Tokens of the longest prompt: what must fit a context at once. */
  contextTokens: number;
  /** Answers that are generated, and billed, at most. */
  choices: number;
}

/** A client's request in the common shape, with the writers of its answer. */
export interface ClientChat {
  request: ChatRequest;
  /** The body as the client wrote it, for endpoints that speak this very API; absent where no upstream dialect is the client's. */
  native?: NativeRequest;
  /** Capabilities beyond those that the common request shows, such as a built-in tool that only one dialect can say. */
  needs?: readonly Capability[];
  /** Capabilities that an endpoint had better have, such as `completion` for a raw prompt. */
  wants?: readonly Capability[];
  /** Sizes, where they cannot be read off the common request. */
  size?: PromptSize;
  /** The caller wants the answer without its reasoning; it is counted and paid for all the same. */
  hidesReasoning: boolean;
  writeAnswer(labels: AnswerLabels, reply: DecodedReply, settlement: Settlement): object;
  createScribe(labels: Pick<AnswerLabels, 'id' | 'createdAtS'>): Scribe;
}

/** One conversational API. */
export interface Skin {
  api: ApiKind;
  /** Reads a body. Throws GatewayError whose `param` names the field as this API's clients wrote it. */
  read(body: unknown, headers: Headers): ClientChat;
  /** The JSON body of an error before the first byte. */
  writeError(error: GatewayError): object;
}

/** What any request must say to be routed, whatever it asks for. */
export interface RoutedRequest {
  model: string;
  models?: readonly string[] | null | undefined;
  provider?: ProviderWishes | null | undefined;
  session_id?: string | null | undefined;
}

/** Sizes that routing and pricing need of a request for a unit operation. */
export interface UnitSize {
  /** Estimated input tokens in all; 0 where the operation has none. */
  promptTokens: number;
  /** Tokens that must fit an endpoint's context at once. */
  contextTokens: number;
  /** Billing units asked for at most: images, characters, seconds of audio or searches. 0 where tokens are billed. */
  unitsMax: number;
  /** What to bill when the upstream does not say; `unitsMax` when absent. */
  unitsExpected?: number;
}

/** A client's request for a unit operation, with the writer of its answer. */
export interface ClientUnit {
  request: RoutedRequest;
  /** What is asked of an upstream. */
  body: UnitBody;
  size: UnitSize;
  needs?: readonly Capability[];
  /** Writes the answer's body: JSON, or text where the client asked for it. Never called for binary answers, which are relayed. */
  writeAnswer(labels: AnswerLabels, reply: UnitReply, settlement: Settlement): object | string;
}

/** Operations that are answered whole. */
export type UnitOperation = Exclude<Operation, 'chat' | 'completion'>;

/** One API that is answered whole: embeddings, rerank, images, speech, transcriptions. */
export interface UnitSkin {
  api: ApiKind;
  operation: UnitOperation;
  /** Reads a body: parsed JSON, or the fields of a form. Throws GatewayError naming the field. */
  read(body: unknown, headers: Headers): ClientUnit;
  writeError(error: GatewayError): object;
}
