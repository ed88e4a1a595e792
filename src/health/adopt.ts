/** How an isolate takes over what a board has answered: the shared state, and on top of it what was seen here since the report. */
import type { Sent } from './board-client.ts';
import type { BoardLink } from './board-link.ts';
import type { BoardAnswer, SharedEndpoint } from './board-port.ts';
import { observe, observeOperator, type Moment } from './endpoint.ts';
import { leasedSlots, type KnownEndpoint } from './known-endpoint.ts';
import { partOf, type OperatorRecord } from './operators.ts';
import { forgetUpTo } from './outbox.ts';
import { fromShared } from './shared-endpoint.ts';

/** The isolate's memory, as far as an answer may change it. */
export interface Memory {
  isolateId: string;
  operatorOf(operatorId: string): OperatorRecord;
  /** Finds an endpoint or starts to know it; null when it belongs to another board. */
  knownOf(shared: SharedEndpoint, link: BoardLink<KnownEndpoint>): KnownEndpoint | null;
}

/** Takes an answer over. */
export function adopt(
  memory: Memory,
  link: BoardLink<KnownEndpoint>,
  { answer, sent, at }: { answer: BoardAnswer; sent: Sent; at: Moment },
): void {
  link.answeredAtMs = at.nowMs;
  link.activeIsolates = answer.activeIsolates;
  for (const [known, { inFlight, tokens }] of sent.loads) {
    forgetUpTo(known.outbox, sent.upTo);
    known.reportedInFlight = inFlight;
    known.reportedTokens = tokens;
    known.peakInFlight = known.inFlight;
    if (known.outbox.entries.length === 0 && known.inFlight === inFlight) link.changed.delete(known);
  }
  adoptOperators(memory, link, answer, at.nowMs);
  for (const shared of answer.endpoints) {
    const known = memory.knownOf(shared, link);
    if (known === null) continue;
    const slots = shared.leasedSlots ?? leasedSlots(known, at.nowMs);
    const slotsUntilMs = shared.leasedSlots === null ? (known.shared?.slotsUntilMs ?? -Infinity) : sent.atMs + answer.leaseMs;
    known.state = fromShared(shared, known.state, { isolateId: memory.isolateId, nowMs: at.nowMs, askedAtMs: sent.atMs });
    for (const { observation } of known.outbox.entries) observe(known.state, observation, at);
    known.shared = {
      toldAtMs: at.nowMs,
      inFlight: shared.inFlight,
      ownInFlight: known.reportedInFlight,
      inFlightTokens: shared.inFlightTokens ?? null,
      ownTokens: known.reportedTokens,
      slots,
      slotsUntilMs,
    };
    known.reading = null;
  }
}

function adoptOperators(memory: Memory, link: BoardLink<KnownEndpoint>, { operators }: BoardAnswer, nowMs: number): void {
  const adopted = new Set<OperatorRecord>();
  for (const { operatorId, counters } of operators) {
    const record = memory.operatorOf(operatorId);
    Object.assign(partOf(record, link.name, nowMs), counters, { atMs: nowMs });
    adopted.add(record);
  }
  for (const { operator, outbox } of link.changed) {
    if (!adopted.has(operator)) continue;
    for (const { observation } of outbox.entries) observeOperator(partOf(operator, link.name, nowMs), observation, nowMs);
  }
}
