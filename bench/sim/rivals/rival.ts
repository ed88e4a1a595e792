/**
 * Other routers as policies of the simulator: one attempt after the other, each chosen by what the rival documents. None of them resumes or hedges.
 * They are given the benefit of the doubt: any failure before the first token may fall back, as if none of them committed on headers.
 */
import type { CallFailure, Client, Listing, LiveCall, Policy, SimRequest, SimTimer, Stage } from '#bench/sim/contract';

/** Why an attempt of a rival ended badly. */
export type RivalFailure = CallFailure | { kind: 'timeout' };

/** How an attempt ended. Times from its start; `ttftMs` is null when no token came. */
export interface Ending {
  failure: RivalFailure | null;
  ttftMs: number | null;
  totalMs: number;
  tokens: number;
}

/** One isolate's way to choose, and what it remembers. `candidates` fit the prompt and have not been tried for this request; never empty. */
export interface Chooser {
  /** Null: nobody may be asked now. */
  pick(request: SimRequest, candidates: readonly Listing[], retry: number): Listing | null;
  sent?(endpointId: string): void;
  /** Response headers came, `elapsedMs` after the start. */
  headers?(endpointId: string, elapsedMs: number): void;
  firstToken?(endpointId: string, elapsedMs: number): void;
  ended?(endpointId: string, ending: Ending): void;
  /** Asked before every retry; absent: always. */
  mayRetry?(): boolean;
}

/** How persistent and how patient a rival is. */
export interface Manners {
  retriesMax: number;
  /** Wait before the given retry, which counts from 1. */
  pauseMs?(retry: number, failure: RivalFailure | null): number;
}

/** A rival as a row of the table. `open` makes what its isolates share, then one chooser an isolate. */
export interface Rival {
  name: string;
  description: string;
  manners: Manners;
  open(stage: Stage): (isolate: number) => Chooser;
}

/** How long rivals wait for a first token, ms: the same for all, though some would wait for ever. */
export const FIRST_TOKEN_TIMEOUT_MS = 30_000;
/** How long they bear silence within a stream, ms: the idle timeout that two of them document. */
const IDLE_TIMEOUT_MS = 60_000;
/** Room for an answer of unknown length when contexts are compared. */
const ANSWER_TOKENS = 250;
const PAUSE_MIN_MS = 1;

/** Makes a policy of a rival. */
export function toPolicy({ name, description, manners, open }: Rival): Policy {
  return {
    name,
    description,
    isAsync: false,
    open(stage) {
      const createChooser = open(stage);
      const choosers = Array.from({ length: stage.isolates }, (_, isolate) => createChooser(isolate));
      return {
        serve(request, isolate, client) {
          const chooser = choosers[isolate];
          if (chooser === undefined) throw new Error(`no isolate ${isolate}`);
          new Passage({ stage, chooser, manners, request, isolate, client }).tryNext(null);
        },
      };
    },
  };
}

interface PassageOrder {
  stage: Stage;
  chooser: Chooser;
  manners: Manners;
  request: SimRequest;
  isolate: number;
  client: Client;
}

/** One request on its way through a rival. */
class Passage {
  private readonly order: PassageOrder;
  private readonly tried: string[] = [];
  private retry = 0;

  constructor(order: PassageOrder) {
    this.order = order;
  }

  tryNext(lastFailure: RivalFailure | null): void {
    const { stage, chooser, request, client } = this.order;
    const candidates = stage.listings().filter(({ id, context }) => context >= roomOf(request) && !this.tried.includes(id));
    const choice = candidates.length === 0 ? null : chooser.pick(request, candidates, this.retry);
    if (choice !== null) return this.attempt(choice.id);
    // Nobody may be asked now: with retries left, the rival waits its usual pause and looks again.
    if (candidates.length === 0 || !this.scheduleRetry(lastFailure)) client.fail(lastFailure?.kind ?? 'no_endpoint');
  }

  private scheduleRetry(failure: RivalFailure | null): boolean {
    const { stage, chooser, manners } = this.order;
    if (this.retry >= manners.retriesMax || chooser.mayRetry?.() === false) return false;
    this.retry += 1;
    const pauseMs = manners.pauseMs?.(this.retry, failure) ?? 0;
    if (failure !== null && pauseMs < PAUSE_MIN_MS) this.tryNext(failure);
    else stage.after(Math.max(PAUSE_MIN_MS, pauseMs), () => this.tryNext(failure));
    return true;
  }

  private attempt(endpointId: string): void {
    const { stage, chooser, request, isolate, client } = this.order;
    this.tried.push(endpointId);
    const startedAtMs = stage.now();
    let ttftMs: number | null = null;
    let lastTokenAtMs = startedAtMs;
    let tokens = 0;
    let isOver = false;
    let call: LiveCall | null = null;
    let timer: SimTimer | null = null;
    const end = (failure: RivalFailure | null): void => {
      if (isOver) return;
      isOver = true;
      if (timer !== null) stage.clear(timer);
      chooser.ended?.(endpointId, { failure, ttftMs, totalMs: stage.now() - startedAtMs, tokens });
      if (failure === null) return client.complete();
      if (ttftMs !== null || !this.scheduleRetry(failure)) client.fail(failure.kind);
    };
    const watch = (delayMs: number): void => {
      timer = stage.after(delayMs, () => {
        const restMs = ttftMs === null ? 0 : lastTokenAtMs + IDLE_TIMEOUT_MS - stage.now();
        if (restMs > 0) return watch(restMs);
        call?.cancel();
        end({ kind: 'timeout' });
      });
    };
    watch(FIRST_TOKEN_TIMEOUT_MS);
    chooser.sent?.(endpointId);
    call = stage.call({
      endpointId,
      request,
      isolate,
      role: this.tried.length === 1 ? 'first' : 'fallback',
      listener: {
        headers: () => !isOver && chooser.headers?.(endpointId, stage.now() - startedAtMs),
        tokens: (count) => {
          if (isOver) return;
          lastTokenAtMs = stage.now();
          if (ttftMs === null) {
            ttftMs = lastTokenAtMs - startedAtMs;
            chooser.firstToken?.(endpointId, ttftMs);
          }
          tokens += count;
          client.deliver(count);
        },
        ended: (failure) => end(failure),
      },
    });
  }
}

function roomOf({ promptTokens, maxTokens }: SimRequest): number {
  return promptTokens * 1.05 + (maxTokens ?? ANSWER_TOKENS);
}
