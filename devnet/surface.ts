/** What the reception of an endpoint needs of an operation, whichever it is, to let requests in and to fail them as told. */
import type { Ending } from './endpoint.ts';
import type { Refusal } from './error-family.ts';
import type { FaultName } from './faults.ts';
import type { Exchange } from './http.ts';
import type { Slot } from './slots.ts';

/** Room that a request takes while it is worked at. */
export interface Workload {
  streaming: boolean;
  sequences: number;
  promptTokens: number;
  /** Prompt and answer together. */
  tokens: number;
}

/** An admitted request with what strikes it. */
export interface Work<Task> {
  task: Task;
  slot: Slot;
  faults: ReadonlySet<FaultName>;
  arrivedAtMs: number;
}

/** One operation of an endpoint: reads what is asked, and does it once there is room. */
export interface Surface<Task extends Workload> {
  read(exchange: Exchange): Promise<Task | Refusal | 'gone'>;
  perform(exchange: Exchange, work: Work<Task>): Promise<Ending>;
  /** Renders an error as the event that stands inside a stream. */
  renderErrorFrame(exchange: Exchange, refusal: Refusal): string;
}
