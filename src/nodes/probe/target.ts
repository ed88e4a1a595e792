/** What is probed, and with what. */
import type { Capability, DialectId, KvCodec, Quantization } from '#schema/catalog';
import type { ChatMessage, ChatRequest } from '#schema/chat';
import type { SaidChat } from '#schema/said-chat';
import type { Timers } from '#schema/timers';

/** An endpoint as its operator declares it. */
export interface ProbeTarget {
  /** Where its API begins: `https://gpu.example.com/v1`, or `NODE_URL` where `fetch` is a node’s link. */
  url: string;
  dialect: DialectId;
  upstreamModel: string;
  engine: string | null;
  /** The key that it asks for; null where it takes none. */
  key: string | null;
  declared: {
    context: number;
    quantization: Quantization;
    kvCache: KvCodec;
    capabilities: readonly Capability[];
    /** Null: not stated. */
    maxConcurrency: number | null;
  };
}

/** A chat request, but for the model. */
export type Words = { messages: ChatMessage[]; max_tokens: number } & Record<string, unknown>;

export interface ProbePorts {
  /** Reaches the endpoint: the network, or a node's link. */
  fetch: typeof fetch;
  /** Puts a chat request into the words in which a client's goes out, so that neither tells itself from the other (R8). `continues`: the beginning of the answer. */
  say(request: ChatRequest, target: Omit<ProbeTarget, 'declared'>, continues?: string): SaidChat;
  /** Epoch milliseconds. */
  now(): number;
  timers: Timers;
  /** Uniform in [0, 1). */
  random(): number;
}

/** A probe under way: nothing of it goes on after `deadlineAtMs`. */
export interface ProbeRun extends ProbePorts {
  target: ProbeTarget;
  deadlineAtMs: number;
}

/** Builds the address of one of the API's paths, such as `/models`. */
export function apiUrl({ url }: ProbeTarget, path: string): string {
  return `${url}${path}`;
}

/** Builds the address of what engines serve beside their API, such as `/metrics`: the API stands under `/v1` there. */
export function engineUrl({ url }: ProbeTarget, path: string): string {
  return `${url.replace(/\/v1$/, '')}${path}`;
}

/** Builds the headers of calls that are no chat; the key goes to the endpoint's own address and nowhere else. */
export function headersOf({ dialect, key }: ProbeTarget, hasBody: boolean): Record<string, string> {
  const content = hasBody ? { 'content-type': 'application/json', accept: 'application/json' } : {};
  if (dialect === 'anthropic-messages') return { ...content, 'anthropic-version': '2023-06-01', ...(key !== null && { 'x-api-key': key }) };
  return { ...content, ...(key !== null && { authorization: `Bearer ${key}` }) };
}
