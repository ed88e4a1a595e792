/**
 * What the parts of the simulator hand each other: workloads make requests, the world plays endpoints, policies choose between them,
 * the engine writes down what each client got. All times are virtual milliseconds from the start of the run.
 */
import type { AttemptRole } from '#schema/attempt';
import type { Quantization, SupplyKind } from '#schema/catalog';
import type { Price } from '#schema/money';
import type { NodeLoad } from '#schema/node-service';

/** One chat as a client sends it. Workloads make these, in order of arrival. */
export interface SimRequest {
  /** Place in the order of arrival, from 0. */
  id: number;
  arrivedAtMs: number;
  teamId: string;
  promptTokens: number;
  /** How long the whole answer is, at least 1; no policy may read it. */
  outputTokens: number;
  /** The client's limit; null when it states none. */
  maxTokens: number | null;
  /** The conversation that it belongs to; null for one-shot prompts. */
  conversation: string | null;
  /** Prompt tokens that earlier turns of the conversation have sent already; 0 on a first turn. */
  prefixTokens: number;
  /** Ids of the prompt's 512-token blocks, the first of them shared by prompts with the same beginning. Empty: nothing to be found in a cache. */
  blocks: readonly number[];
}

/** What costs money although it is of no use. Errors, refusals and lost connections never do. */
export interface BillingRules {
  /** Answers that broke off are billed what they took until then, answers that made no sense their prompt. */
  onFailure: boolean;
  /** Cancelled answers are billed their prompt and what was generated until the cancel arrived. */
  onCancel: boolean;
}

/** One place that can be called, as it truly is. Policies see no more of it than a `Listing`. */
export interface SimEndpoint {
  id: string;
  /** Endpoints of one operator fail together more often. */
  operatorId: string;
  supply: SupplyKind;
  price: Price;
  /** What the catalogue says of its slots; null where the operator declares none. */
  declaredSlots: number | null;
  context: number;
  quantization: Quantization;
  /** Goes on with an answer that another endpoint began. */
  continues: boolean;
  /** Requests that run at once, and how many more may wait before it answers 429. */
  slots: number;
  queueMax: number;
  /** Time to first token without prefill and queue: median and log-scale spread. */
  firstTokenMsP50: number;
  firstTokenSigma: number;
  prefillTokensPerSecond: number;
  /** Milliseconds per token without load, and its log-scale spread between answers. */
  tpotMs: number;
  tpotSigma: number;
  /** Tokens that its KV cache holds, for machines whose engine says so and tells its load with every answer; absent: enough for all slots. */
  poolTokens?: number;
  /** Prefix cache; null where there is none. */
  cache: { blocks: number; ttlMs: number } | null;
  /** Share of attempts that fail before the first token, and of streams that break in the middle, in ordinary times. */
  failureShare: number;
  breakShare: number;
  billing: BillingRules;
}

/**
 * What can be wrong with an endpoint.
 * `error`: answers an HTTP error at once. `unreachable`: no connection. `hang`: no headers. `silent`: headers, then nothing. `empty`: an answer without
 * content. `garbage`: no answer in any dialect. `break`: dies in the middle of the stream. `stall`: a fast first token, then silence.
 * `refuse`: 429, with Retry-After where it is a number (any number: negative and absurd ones too). `slow`: TTFT and TPOT times the factor, reached over `rampMs`.
 * `hollow`: a first chunk without content at once, the content `delayMs` later than it should come.
 */
export type Fault =
  | { kind: 'error'; status: number }
  | { kind: 'unreachable' | 'hang' | 'silent' | 'empty' | 'garbage' | 'break' | 'stall' }
  | { kind: 'refuse'; retryAfterMs: number | null }
  | { kind: 'slow'; factor: number; rampMs: number }
  | { kind: 'hollow'; delayMs: number };

/** A time during which something is wrong with an endpoint. Where spells overlap, the one listed first that hits decides; slownesses multiply. */
export interface Spell {
  endpointId: string;
  fromMs: number;
  untilMs: number;
  fault: Fault;
  /** Share of the attempts that meet it, (0, 1]. */
  share: number;
  /** Only prompts of at least this many tokens meet it. */
  promptTokensMin?: number;
  /** Canaries do not meet it: the endpoint answers probes well and traffic badly. */
  sparesCanaries?: boolean;
}

export interface PriceChange {
  endpointId: string;
  atMs: number;
  price: Price;
}

/** A time at which an endpoint enters or leaves the catalogue. All are listed from the start unless their first change says `isListed: true`. */
export interface ListingChange {
  endpointId: string;
  atMs: number;
  isListed: boolean;
}

/** Endpoints with all that will happen to them. */
export interface Fleet {
  endpoints: readonly SimEndpoint[];
  spells: readonly Spell[];
  prices: readonly PriceChange[];
  listings: readonly ListingChange[];
  /** True where the spells are measured ones, so that no random failure processes are to be added. */
  isReplay: boolean;
}

/** One endpoint as the catalogue shows it now; frozen, and the same object until something of it changes. */
export type Listing = Readonly<
  Pick<SimEndpoint, 'id' | 'operatorId' | 'supply' | 'price' | 'declaredSlots' | 'context' | 'quantization' | 'continues' | 'poolTokens'>
>;

/** Why a call ended badly, as a caller can see it. `connection`: none could be made, or it broke; `nonsense`: a 200 that said nothing. */
export type CallFailure =
  | { kind: 'refused'; status: 429; retryAfterMs: number | null }
  | { kind: 'error'; status: number }
  | { kind: 'connection' }
  | { kind: 'nonsense' };

/** What a caller is told of a call, each in its own event of virtual time. Nothing comes after `ended`, nor after a cancel. */
export interface CallListener {
  /** Response headers, with the engine's load where it tells that; only successful ones. Many servers send them long before the first token. */
  headers?(load: NodeLoad | null): void;
  /** A stream chunk without content. */
  hollow?(): void;
  /** So many more tokens of the answer; the first call is the first token. */
  tokens(count: number): void;
  /** The end: null when the answer is whole. `cachedTokens` of the prompt were found in the endpoint's cache. */
  ended(failure: CallFailure | null, usage: { cachedTokens: number }): void;
}

/** What is asked of an endpoint. */
export interface CallOrder {
  endpointId: string;
  /** Null for canaries, which ask for one token of an ordinary short prompt. */
  request: SimRequest | null;
  isolate: number;
  role: AttemptRole;
  /** Tokens of the answer that another endpoint has delivered already; the endpoint generates the rest. */
  deliveredTokens?: number;
  listener: CallListener;
}

export interface LiveCall {
  /** Leaves the call; slot and billing end once that has arrived. Idempotent. */
  cancel(): void;
}

/** The client of one request; tokens reach it when they are delivered. Exactly one of `complete` and `fail` ends it; anything after that is an error in the policy. */
export interface Client {
  deliver(tokens: number): void;
  complete(): void;
  /** An error, before or after content. */
  fail(reason: string): void;
}

/** A handle to clear a timer with. */
export type SimTimer = object;

/** What a policy may use. It knows nothing of the world beyond this. */
export interface Stage {
  now(): number;
  after(delayMs: number, fire: () => void): SimTimer;
  clear(timer: SimTimer): void;
  /** The catalogue now; the same array until it changes. */
  listings(): readonly Listing[];
  call(order: CallOrder): LiveCall;
  /** A stream of uniform numbers in [0, 1) of its own for each purpose; draws of policies never move the world. */
  random(purpose: string): () => number;
  /** How many isolates share the traffic; knowledge of one reaches another only as the policy's own protocol carries it. */
  isolates: number;
  /** How often isolates exchange what they know, where the policy does that. */
  syncMs: number;
  /** Ends the whole run with an error: for bugs, such as a rejected promise that nobody awaits. */
  abort(error: unknown): void;
  /** One way between an isolate and the place where isolates exchange what they know. */
  boardDelayMs: number;
}

/** Serves requests as one kind of router does. One for a whole run, with all isolates in it. */
export interface Router {
  serve(request: SimRequest, isolate: number, client: Client): void;
}

export interface Policy {
  name: string;
  /** One line for the table's legend: what is imitated, from where. */
  description: string;
  /** Uses promises: the engine lets them all settle after every event. Policies of callbacks alone run faster without. */
  isAsync: boolean;
  open(stage: Stage): Router;
}

/** One call as the world saw it. Money in nano-USD: what the upstream bills, whether or not it was of use. */
export interface CallRecord {
  endpointId: string;
  role: AttemptRole;
  startedAtMs: number;
  endedAtMs: number;
  ttftMs: number | null;
  tokens: number;
  outcome: 'completed' | 'failed' | 'broken' | 'cancelled';
  billedNanoUsd: number;
}

/** What one client got. */
export interface RequestResult {
  request: SimRequest;
  isolate: number;
  /** `broken`: an error after content. `unfinished`: no end when the run was over. */
  outcome: 'completed' | 'failed' | 'broken' | 'unfinished';
  /** As the policy gave it; null for answers that are whole. */
  reason: string | null;
  /** From the client's send; null when nothing came. */
  ttftMs: number | null;
  totalMs: number;
  deliveredTokens: number;
  /** Mean milliseconds between tokens as the client saw them; null below 2 tokens. */
  tpotMs: number | null;
  /** In order of their start. */
  calls: CallRecord[];
}

/** What one endpoint did over the run. */
export interface EndpointUse {
  endpointId: string;
  operatorId: string;
  slots: number;
  /** Slot-milliseconds used, by traffic and canaries. */
  busySlotMs: number;
  calls: number;
  deliveredTokens: number;
  billedNanoUsd: number;
}

/** How an endpoint truly is at a time; for bounds and reports, never for policies. */
export interface Truth {
  fleet: Fleet;
  durationMs: number;
  /** Expected share of attempts within a time that no spell spoils, 0 to 1; ordinary failures, slowness and what hits long prompts only are left out. */
  upShare(endpointId: string, fromMs: number, untilMs: number): number;
  /** Mean factor on TTFT and TPOT within a time, at least 1. */
  slowdown(endpointId: string, fromMs: number, untilMs: number): number;
  priceAt(endpointId: string, atMs: number): Price;
  isListedAt(endpointId: string, atMs: number): boolean;
}

/** A named situation. Windows are given as functions of the run's length, so that short runs meet them, too. */
export interface Scenario {
  name: string;
  description: string;
  /** Something is broken on purpose: the bars for faults hold. */
  isFault: boolean;
  /** When the trouble starts and ends; null where there is none. Ends before the run does unless `endsWithRun`. */
  trouble(durationMs: number): { fromMs: number; untilMs: number } | null;
  /** A hard outage: time to recover is measured from its start. */
  isHardOutage: boolean;
  /** Overrides of the run's defaults. */
  isolates?: number;
  syncMs?: number;
  /** Changes what happens to the fleet. Pure; `random` is seeded for this scenario and seed. */
  stage(fleet: Fleet, at: { durationMs: number; random: () => number }): Fleet;
  /** Changes the traffic; identity where absent. */
  load?(requests: readonly SimRequest[], at: { durationMs: number; random: () => number }): SimRequest[];
}

/** One cell of the table. */
export interface RunOrder {
  seed: number;
  scenario: Scenario;
  fleet: Fleet;
  requests: readonly SimRequest[];
  policy: Policy;
  isolates: number;
  syncMs: number;
}

export interface RunResult {
  results: RequestResult[];
  endpoints: EndpointUse[];
  /** Canaries and what they cost, apart from the requests' own calls. */
  canaries: { calls: number; billedNanoUsd: number };
  truth: Truth;
  trouble: { fromMs: number; untilMs: number } | null;
  /** Events of virtual time. */
  events: number;
}
