import { describe, expect, it } from 'vitest';
import { BOARD_PROTOCOL, JOBS_ISOLATE_ID, type BoardAnswer, type ReportedObservation, type SharedEndpoint } from '#src/health/board-port';
import { createBoardState } from '#src/health/board-state';
import { toEndpointReport } from '#src/jobs/canary-observations';
import { chooseCanaries } from '#src/jobs/choose-canaries';
import { sampleAttempt } from '#test/src/ledger/sample-receipt';
import { NOW_MS } from '#test/support/fake-clock';
import { factsOf, offerOf } from '#test/support/offers';

const OFFERS = [offerOf('slow'), offerOf('busy')];

/** A board with traffic of two isolates, and jobs that look at it. */
function scene() {
  const clock = { nowMs: NOW_MS };
  const board = createBoardState({ now: () => clock.nowMs, random: () => 0.5 });
  const report = (isolateId: string, endpointId: string, observations: ReportedObservation[]): BoardAnswer =>
    board.exchange({
      protocol: BOARD_PROTOCOL,
      isolateId,
      endpoints: [{ endpointId, operatorId: endpointId, isAnonymous: false, declaredSlots: null, inFlight: 0, observations }],
      slotsWanted: [],
    });
  const look = () => board.exchange({ protocol: BOARD_PROTOCOL, isolateId: JOBS_ISOLATE_ID, endpoints: [], slotsWanted: [] });
  const find = (id: string) => look().endpoints.find(({ endpointId }) => endpointId === id) as SharedEndpoint;
  const choose = () =>
    chooseCanaries({
      shared: look().endpoints,
      offers: OFFERS,
      nowMs: clock.nowMs,
      askedAtMs: new Map(),
      budgetNanoUsd: 1e9,
      canariesMax: 30,
      random: () => 0.5,
      isCallable: () => true,
    });
  /** Sends what is due, and tells the board of it. */
  const sendCanaries = (outcome: 'completed' | 'failed', ttftMs: number) => {
    const canaries = choose();
    for (const canary of canaries) {
      const failure = outcome === 'failed' ? ({ kind: 'connect', origin: 'local', detail: '' } as const) : null;
      const flight = {
        canary,
        facts: factsOf({ promptTokens: 20 }),
        attempt: sampleAttempt({ startedAtMs: clock.nowMs - ttftMs, durationMs: ttftMs }),
        ttftMs: outcome === 'failed' ? null : ttftMs,
        flightEnd: { outcome, failure, completionTokens: 1, durationMs: ttftMs },
      };
      const endpoint = toEndpointReport(flight, 'canaries', clock.nowMs);
      board.exchange({ protocol: BOARD_PROTOCOL, isolateId: JOBS_ISOLATE_ID, endpoints: [endpoint], slotsWanted: [] });
    }
    return canaries.map(({ offer }) => offer.endpointId);
  };
  return { clock, report, look, find, sendCanaries };
}

const answered = (normalisedMs: number, tenant: string): ReportedObservation[] => [
  { kind: 'first_token', ageMs: 0, tenant, normalisedMs, inFlight: 1, isProbe: false },
  { kind: 'completed', ageMs: 0, tenant, tpotMs: 20, isProbe: false },
];
const failed = (tenant: string): ReportedObservation => ({ kind: 'failed', ageMs: 0, tenant, normalisedMs: 100, isProbe: false });

describe('canaries and the board', () => {
  it('R8: an endpoint that answers canaries in no time and traffic slowly stays as slow as its traffic', () => {
    const { clock, report, find, sendCanaries } = scene();
    for (let turn = 0; turn < 10; turn++) report('i1', 'slow', answered(4000, 't1'));
    clock.nowMs += 60_000;
    for (let minute = 0; minute < 4; minute++) {
      clock.nowMs += 60_000;
      report('i2', 'busy', answered(900, 't1'));
      const before = find('slow').ttft;
      expect(sendCanaries('completed', 5)).toContain('slow');
      expect(find('slow').ttft).toEqual(before);
      expect(find('slow').ttft.logMean).toBeCloseTo(Math.log(4000));
    }
    expect(find('slow').counters.slowOk).toBeGreaterThan(3);
  });

  it('R4: a breaker that has opened for all is closed by a canary, and opened again for longer by one that fails', () => {
    const { clock, report, find, sendCanaries } = scene();
    const openForAll = () => {
      for (const tenant of ['t1', 't2', 't1', 't2']) report('i1', 'slow', [failed(tenant)]);
    };
    openForAll();
    expect(find('slow').breaker.state).toBe('open');
    expect(sendCanaries('completed', 100)).not.toContain('slow');
    clock.nowMs += 5000;
    expect(sendCanaries('failed', 100)).toContain('slow');
    expect(find('slow').breaker).toMatchObject({ state: 'open', trips: 2, remainingMs: 4000 });
    clock.nowMs += 4001;
    expect(sendCanaries('completed', 100)).toContain('slow');
    expect(find('slow').breaker.state).toBe('closed');
  });

  it('canaries alone keep nobody alive: without traffic they end', () => {
    const { clock, report, look, sendCanaries } = scene();
    report('i1', 'slow', answered(4000, 't1'));
    const sent: string[][] = [];
    for (let minute = 0; minute < 6; minute++) {
      clock.nowMs += 58_000;
      if (minute === 0) report('i2', 'busy', answered(900, 't1'));
      sent.push(sendCanaries('completed', 5));
    }
    expect(sent).toEqual([['slow'], [], [], [], [], []]);
    expect(look().activeIsolates).toBeLessThanOrEqual(1);
  });

  it('jobs are no active isolate and take no turn to probe', () => {
    const { report, look } = scene();
    expect(report('i1', 'busy', answered(900, 't1')).activeIsolates).toBe(1);
    look();
    expect(report('i2', 'busy', answered(900, 't1')).activeIsolates).toBe(2);
  });
});
