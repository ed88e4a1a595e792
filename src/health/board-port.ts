/** What isolates and health boards tell each other. Instants travel as ages and waits, so that no clock is compared with another. */
import type { NodeLoad } from '#schema/node-service';
import type { NodeLoadReport } from '#schema/node-load-report';
import type { Observation } from './observation.ts';

/** Raised with every change of these shapes; a board and an isolate of different versions ignore each other (R16). */
export const BOARD_PROTOCOL = 1;

/** An observation as it travels. `sequence` counts up in each isolate: what was reported before, because an answer got lost, counts once. */
type Aged<Event> = Event extends { atMs: number } ? Omit<Event, 'atMs'> & { ageMs: number; sequence?: number } : never;
export type ReportedObservation = Aged<Observation>;

/** Under this id scheduled work reports: it serves nobody, so it is no active isolate and gets neither probes nor slots. */
export const JOBS_ISOLATE_ID = 'jobs';

/** What one isolate has seen of one endpoint since its last report, in order. */
export interface EndpointReport {
  endpointId: string;
  operatorId: string;
  /** Anonymous supply may be kept away for longer. */
  isAnonymous: boolean;
  /** The slots that the operator declared; null where none. */
  declaredSlots: number | null;
  /** Requests of this isolate that are there now. */
  inFlight: number;
  /** Their prompt and expected answer tokens; absent from isolates that do not count them. */
  inFlightTokens?: number;
  observations: ReportedObservation[];
}

export interface BoardReport {
  protocol: number;
  isolateId: string;
  /** The name under which the isolate knows this board. */
  board?: string;
  /** Age of the last answer that this isolate got from this board; null or absent: none. */
  answerAgeMs?: number | null;
  endpoints: EndpointReport[];
  /** Endpoints with few slots that this isolate would use, with how many it could fill now. */
  slotsWanted: { endpointId: string; slots: number }[];
}

/** A latency estimate as it travels. `recentMs` are the last samples, for quantiles. */
export interface SharedLatency {
  logMean: number | null;
  recentMs: number[];
  ageMs: number;
}

/** Where a breaker stands. `probe`: who holds the one probe of a half-open circuit. */
export type SharedBreaker =
  | { state: 'closed'; trips: number; closedForMs: number }
  | { state: 'open'; trips: number; remainingMs: number }
  | { state: 'half_open'; trips: number; probe: 'yours' | 'taken' };

export interface SharedCounters {
  fastOk: number;
  fastBad: number;
  slowOk: number;
  slowBad: number;
}

/** One tenant's own record at an endpoint. `isInRow`: it is among those whose requests failed since the endpoint last succeeded. */
export interface SharedTenantBreaker {
  tenant: string;
  breaker: SharedBreaker;
  failuresInARow: number;
  isInRow: boolean;
  /** Its successes and failures of the last moments, decayed like the fast counters. */
  fastOk: number;
  fastBad: number;
}

/** One endpoint as all isolates together know it. */
export interface SharedEndpoint {
  endpointId: string;
  operatorId: string;
  isAnonymous: boolean;
  declaredSlots: number | null;
  counters: SharedCounters;
  /** Of prompts above LONG_PROMPT_TOKENS alone. */
  longCounters: SharedCounters;
  ttft: SharedLatency;
  tpot: SharedLatency;
  /** Requests of all isolates that are there now. */
  inFlight: number;
  /** Their prompt and expected answer tokens; absent from boards that do not count them. */
  inFlightTokens?: number;
  /** What the node last said of its load; absent where it has said nothing, or too long ago. */
  nodeLoad?: NodeLoad & { ageMs: number };
  cap: number;
  /** Normalised TTFT of the endpoint when it is not loaded, ms. */
  baseMs: number | null;
  backoff: { remainingMs: number; refusals: number };
  breaker: SharedBreaker;
  failuresInARow: number;
  /** Breakers that single tenants have opened by their own requests, by digest. */
  tenantBreakers: SharedTenantBreaker[];
  /** Slots leased to this isolate; null where slots are not scarce. */
  leasedSlots: number | null;
}

export interface BoardAnswer {
  protocol: number;
  /** Isolates that have reported within the last ten seconds, this one included. */
  activeIsolates: number;
  endpoints: SharedEndpoint[];
  operators: { operatorId: string; counters: SharedCounters }[];
  /** How long leased slots may be used. */
  leaseMs: number;
}

/** A health board as isolates call it. */
export interface BoardPort {
  exchange(report: BoardReport): Promise<BoardAnswer>;
}

/** A health board as it is told of the load of a node, which no isolate need have called. */
export interface LoadPort {
  hearLoad(report: NodeLoadReport): Promise<void>;
}
