/**
 * The contract of the suppliers' wing: a card says what a provider is (data), a dialect says how to talk to it (code).
 * Everything vendor-specific is a quirk named here and switched on by a card.
 */
import { z } from 'zod';
import type { AttemptFailure } from '#schema/attempt';
import { capability, claimSource, country, dialectId, supplyKind, type WireId } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { DecodedReply, StreamEvent } from '#schema/reply';
import type { UnitBody, UnitReply } from '#schema/unit';
import { priceFeed } from './feeds/feed.ts';

/** A fact about a supplier with where it was read and when (ISO date). */
const sourced = z.strictObject({ source: z.string().min(3), date: z.iso.date() });

/** Named deviations from a dialect. Absent means the dialect's default. */
export const quirks = z.strictObject({
  /** Field that carries the output limit. Default `max_completion_tokens`. */
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  /** Output limit to send when the caller gave none, because the vendor's default is uselessly small. */
  defaultMaxTokens: z.int().positive().optional(),
  /** Role that replaces `developer`. */
  developerRole: z.enum(['developer', 'system']).optional(),
  /** How to ask for reasoning. */
  reasoningControl: z
    .enum([
      'reasoning_effort',
      'reasoning_effort_high_max',
      'reasoning_effort_off',
      'reasoning_object',
      'reasoning_enabled',
      'thinking_type',
      'chat_template_kwargs',
      'chat_template_args',
      'enable_thinking',
      'none',
    ])
    .optional(),
  /** Where reasoning text stands in answers; the first non-empty field wins. */
  reasoningFields: z.array(z.enum(['reasoning', 'reasoning_content', 'reasoning_text'])).optional(),
  /** Name under which assistant reasoning is sent back on later turns; null drops it. */
  reasoningReplayField: z.enum(['reasoning', 'reasoning_content']).nullable().optional(),
  /** True where `cache_control` marks are read; elsewhere they are taken off, because strict vendors refuse them. */
  cacheControl: z.boolean().optional(),
  /** Where usage may stand besides the top level. */
  usageLocations: z.array(z.enum(['choice', 'x_groq'])).optional(),
  /** Where cached prompt tokens may stand. */
  cachedTokensFields: z.array(z.enum(['prompt_tokens_details', 'prompt_cache_hit_tokens', 'cached_tokens'])).optional(),
  /** True where `completion_tokens` leaves reasoning tokens out on some models; they are added when the counts show it. */
  completionExcludesReasoning: z.boolean().optional(),
  /** Request fields that this vendor refuses. */
  dropRequestFields: z.array(z.string()).optional(),
  /** Request fields under another name: ours → theirs. */
  renameRequestFields: z.record(z.string(), z.string()).optional(),
  /** Fixed fields to add to every request. */
  addRequestFields: z.record(z.string(), z.unknown()).optional(),
  /** Answer fields (top level, choice, delta) that must not reach clients. */
  stripResponseFields: z.array(z.string()).optional(),
  /** False where `response_format: json_schema` is not native. */
  jsonSchema: z.boolean().optional(),
  /** Statuses that mean "our account is unfunded" besides 402. */
  unfundedStatuses: z.array(z.int()).optional(),
  /** Native finish reasons that are failures. */
  failureFinishReasons: z.array(z.string()).optional(),
  /** True where images come as base64 and `response_format` is refused. */
  imagesAlwaysBase64: z.boolean().optional(),
  /** Header that carries the session for the vendor's prompt cache. */
  sessionHeader: z.string().optional(),
  /**
   * How to ask for the rest of an answer whose beginning is the last message: two fields of the request, a mark on that message, or nothing
   * at all (`prefill`). Default `continue_final_message`.
   */
  continuation: z.enum(['continue_final_message', 'prefix', 'partial', 'prefill']).optional(),
  /** Path below the base URL where the vendor continues answers, if not where it begins them. */
  continuationPath: z
    .string()
    .regex(/^\/[a-z0-9/-]+$/)
    .optional(),
  /** True where a continuation repeats the beginning before it goes on. */
  continuationEchoes: z.boolean().optional(),
  /** True where an answer says how loaded the engine is (`endpoint-load-metrics`) when that is asked for. */
  reportsLoad: z.boolean().optional(),
  /** True where `stream_options.continuous_usage_stats` brings the usage so far with every event of a stream. */
  continuousUsage: z.boolean().optional(),
});
export type Quirks = z.infer<typeof quirks>;

/** Everything we know about a supplier that changes about once a year. Prices change hourly and live in D1; a card says where they are published. */
export const providerCard = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  name: z.string(),
  supply: supplyKind,
  dialect: dialectId,
  /** Base URL without trailing slash; null where each deployment has its own (`runpod`, `vast`, nodes). */
  baseUrl: z.url().nullable(),
  auth: z.enum(['bearer', 'x-api-key', 'none']),
  /** Environment variable or Worker secret that switches this provider on. */
  keyName: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  /** Fixed headers beside auth, such as a version. */
  headers: z.record(z.string(), z.string()).optional(),
  /** Whether plain custom HTTP can carry the confidential channel; a flag in a catalogue is never proof. */
  confidentialClaim: z.boolean(),
  dataPolicy: sourced.extend({
    trains: z.boolean().nullable(),
    retentionDays: z.int().nonnegative().nullable(),
    /** Whose word it is; `provider` for published terms. */
    claimSource: claimSource,
    note: z.string().optional(),
  }),
  jurisdiction: sourced.extend({ countries: z.array(country) }),
  /** Capabilities that every chat model of this provider has unless an offer says otherwise. */
  capabilities: z.array(capability),
  quirks,
  /** Its own list of models and prices, where there is one. */
  feed: priceFeed.optional(),
  docs: z.url().nullable(),
  sources: z.array(sourced.extend({ note: z.string().optional() })),
});
export type ProviderCard = z.infer<typeof providerCard>;

/** What a dialect must know of the endpoint it talks to. */
export interface DialectTarget {
  url: string;
  upstreamModel: string;
  quirks: Quirks;
  auth: ProviderCard['auth'];
  headers: Readonly<Record<string, string>>;
  key: string | null;
  /** Output limit of the offer; a request without limit asks for no more where the dialect must name one. */
  maxOutput: number | null;
  /** Whose signed reasoning this endpoint can read. */
  operatorId?: string;
  /** True where another operator could be asked next time: signed reasoning in answers is marked with its maker. */
  marksReasoning?: boolean;
  /** The client's own body, where the client speaks this dialect: it is sent as it is, and answers carry the upstream's own words too. */
  native?: Record<string, unknown>;
  /** Headers that go with it. */
  nativeHeaders?: Readonly<Record<string, string>>;
  /** The beginning of the answer, which another upstream has given; asked for is the rest of it. */
  continues?: string;
  /** What is being asked; an error that quotes it is cleaned of it. */
  request?: ChatRequest | UnitBody;
}

/** An HTTP request ready to send; always POST. A form brings its own content type. */
export interface EncodedRequest<Body extends string | FormData = string> {
  url: string;
  headers: Record<string, string>;
  body: Body;
}

/** Turns server-sent events of one answer into common events; holds what the wire format spreads over events. */
export interface StreamDecoder {
  decode(data: string, eventName: string | undefined): StreamEvent;
}

/** A wire format: how to ask and how to read. Pure; the caller does the I/O. */
export interface Dialect {
  id: WireId;
  encodeRequest(request: ChatRequest, target: DialectTarget): EncodedRequest;
  /** Reads a 200 JSON body; an error inside it comes back as a failure. */
  decodeReply(body: unknown, target: DialectTarget): { reply: DecodedReply } | { failure: AttemptFailure };
  createStreamDecoder(target: DialectTarget): StreamDecoder;
  /** Asks how many input tokens a request would be, where the API has a call for it and the client speaks this API. */
  countTokens?: {
    encodeRequest(request: ChatRequest, target: DialectTarget): EncodedRequest;
    /** Reads a 200 answer; null when it names no plausible count. */
    decodeReply(body: unknown): number | null;
  };
}

/** How one unit operation is said to and read from upstreams. Pure: bytes of a binary answer never come here. */
export interface UnitCodec {
  encodeRequest(asked: UnitBody, target: DialectTarget): EncodedRequest<string | FormData>;
  /** Names the type of a binary answer, which is relayed unread; null for an answer to be read, such as an error. Absent where none is binary. */
  binaryTypeOf?(contentType: string, asked: UnitBody): string | null;
  /** Reads the text of a 200 answer. An answer that is not what was asked for is a failure. */
  decodeReply(answer: string, target: DialectTarget, asked: UnitBody): { reply: UnitReply } | { failure: AttemptFailure };
}
