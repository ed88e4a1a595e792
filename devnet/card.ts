/** What the devnet knows of an endpoint before it runs. Facts only; `fleet.ts` fills them in, `endpoint.ts` brings them to life. */
import type { NodeFacts } from './capacity.ts';
import type { ErrorFamily } from './error-family.ts';
import type { FaultName } from './faults.ts';

/** What a model can be asked for; `chat` models may answer raw prompts too. */
export type UnitOperation = 'embeddings' | 'rerank' | 'images' | 'speech' | 'transcription';

/** Prices one text model in USD per million tokens; without `cacheRead`, cached tokens cost what other prompt tokens cost. */
export interface PriceCard {
  prompt: number;
  completion: number;
  cacheRead?: number;
}

/** Prices another model in USD: per million prompt tokens or characters, or for each image, search or second of audio. */
export type UnitPriceCard = Partial<Record<'prompt' | 'character' | 'image' | 'search' | 'second', number>>;

interface Named {
  /** What callers of the router name. */
  id: string;
  /** What this endpoint calls it. */
  upstreamModel: string;
}

/** Describes one text model as one endpoint offers it. `context` and `maxOutput` in tokens. */
export interface TextModelCard extends Named {
  operation: 'chat';
  context: number;
  maxOutput: number;
  /** True where the model thinks before it answers. */
  reasoning: boolean;
  price: PriceCard;
}

/** Describes one model that is answered whole. `context` in tokens; null where it reads no text to speak of. */
export interface UnitModelCard extends Named {
  operation: UnitOperation;
  context: number | null;
  price: UnitPriceCard;
}

/** Describes a model of either kind. */
export type ModelCard = TextModelCard | UnitModelCard;

/** Describes speed: lognormal TTFT, then a steady pace that stretches with load. */
export interface Pace {
  ttftMsP50: number;
  ttftSigma: number;
  prefillTokensPerSecond: number;
  /** Milliseconds per output token with nobody else about. GPU nodes compute theirs, see `capacity.ts`. */
  tpotMs: number;
}

/** Bounds the work an endpoint takes on; beyond it refuses. A request with n choices counts n times. */
export interface Limits {
  runningMax: number;
  /** Running and waiting together. */
  inFlightMax: number;
  /** Tokens that may wait for room in the KV cache. */
  queuedTokensMax: number;
}

/** Bounds a key's traffic per minute at a centralized API. */
export interface RateLimits {
  requestsPerMinute: number;
  tokensPerMinute: number;
}

/** Names a fault that strikes a share of requests unasked. */
export interface Habit {
  fault: FaultName;
  /** Share of inference requests in [0, 1]. */
  share: number;
}

/** Describes one endpoint completely. */
export interface EndpointCard {
  id: string;
  supply: 'subnet' | 'selfhosted' | 'centralized';
  dialect: 'openai-chat' | 'anthropic-messages';
  errorFamily: ErrorFamily;
  /** Key it asks for, or null where anybody may call. */
  key: string | null;
  models: readonly ModelCard[];
  /** What its text models can, in the words of the catalogue: tools, json_schema, logprobs, continuation, n, completion … */
  capabilities: readonly string[];
  /** Where reasoning stands in an OpenAI message. */
  reasoningField: 'reasoning' | 'reasoning_content';
  /** Where a stream puts usage: in a chunk of its own when asked, or always inside the last choice (as Moonshot does). */
  usagePlace: 'trailer' | 'last_choice';
  pace: Pace;
  limits: Limits;
  rates: RateLimits | null;
  /** GPU and engine facts of a self-hosted node, which then has `/health` and `/metrics`. */
  node: NodeFacts | null;
  habits: readonly Habit[];
}
