import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkReport } from '#src/health/board-check';
import { BOARD_PROTOCOL, JOBS_ISOLATE_ID, type BoardReport } from '#src/health/board-port';
import { createBoardState } from '#src/health/board-state';
import { SEED } from '#test/support/seed';
import { at, openRegion } from './region.ts';
import { FACTS, OFFER, read, repeat, succeed } from './scene.ts';

const NOW_MS = 1_800_000_000_000;

function reportOf(over: object = {}, endpoint: object = {}): BoardReport {
  return {
    protocol: BOARD_PROTOCOL,
    isolateId: 'one',
    endpoints: [
      { endpointId: 'rig', operatorId: 'op', isAnonymous: false, declaredSlots: null, inFlight: 0, observations: [], ...endpoint },
    ],
    slotsWanted: [],
    ...over,
  };
}

/** Any value at any place of a message. */
const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true });
const badNumber = fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, -1e9, 1e300, '5', null, undefined, {});

describe('what a board is told', () => {
  it.each([
    ['an age from the future', { kind: 'paced', ageMs: -1, tpotMs: 20 }],
    ['an age above a minute', { kind: 'paced', ageMs: 60_001, tpotMs: 20 }],
    ['a latency that is no number', { kind: 'first_token', ageMs: 0, normalisedMs: Number.NaN, inFlight: 1, isProbe: false }],
    ['a negative latency', { kind: 'first_token', ageMs: 0, normalisedMs: -700, inFlight: 1, isProbe: false }],
    ['an infinite latency', { kind: 'failed', ageMs: 0, tenant: 't', normalisedMs: Infinity, isProbe: false }],
    ['a kind that this version does not know', { kind: 'praised', ageMs: 0 }],
    ['a tenant that is too long', { kind: 'completed', ageMs: 0, tenant: 'x'.repeat(201), tpotMs: null, isProbe: false }],
  ])('leaves out %s, and keeps the rest', (_, observation) => {
    const good = { kind: 'paced', ageMs: 10, tpotMs: 30 };
    const report = checkReport(reportOf({}, { observations: [observation, good] }));
    expect(report?.endpoints[0]?.observations).toEqual([good]);
  });

  it('takes at most 512 endpoints a report and 500 observations an endpoint', () => {
    const observations = Array.from({ length: 600 }, () => ({ kind: 'paced', ageMs: 0, tpotMs: 20 }));
    const [endpoint] = reportOf({}, { observations }).endpoints;
    const endpoints = Array.from({ length: 600 }, (_, place) => ({ ...endpoint, endpointId: `e${place}` }));
    const report = checkReport(reportOf({ endpoints }));
    expect(report?.endpoints).toHaveLength(512);
    expect(report?.endpoints[0]?.observations).toHaveLength(500);
  });

  it('R16: a report of another version is answered with nothing', () => {
    const board = createBoardState({ now: () => NOW_MS });
    board.exchange(reportOf());
    expect(board.exchange(reportOf({ protocol: BOARD_PROTOCOL + 1, isolateId: 'two' })).endpoints).toEqual([]);
    expect(board.exchange(reportOf({ isolateId: 'three' })).activeIsolates).toBe(2);
  });

  it('never throws, whatever it is told, and answers with numbers only', () => {
    const board = createBoardState({ now: () => NOW_MS });
    const observation = fc.record({
      kind: fc.constantFrom('first_token', 'completed', 'paced', 'failed', 'refused', 'outrun', 'probe_returned', 'x'),
      ageMs: fc.oneof(fc.integer({ min: 0, max: 70_000 }), badNumber),
      tenant: fc.oneof(fc.string(), badNumber),
      normalisedMs: fc.oneof(fc.double(), badNumber),
      tpotMs: fc.oneof(fc.double(), badNumber),
      inFlight: fc.oneof(fc.double(), badNumber),
      retryAfterMs: fc.oneof(fc.double(), badNumber),
      times: fc.oneof(fc.double(), badNumber),
      sequence: fc.oneof(fc.double(), badNumber),
      isProbe: fc.boolean(),
    });
    const report = fc
      .record({
        observations: fc.oneof(anything, fc.array(fc.oneof(anything, observation), { maxLength: 8 })),
        inFlight: fc.oneof(fc.nat(), badNumber),
        declaredSlots: fc.oneof(fc.nat(), badNumber),
        slots: fc.oneof(fc.nat(), badNumber),
        isolateId: fc.constantFrom('one', 'two', 'three'),
      })
      .map(({ isolateId, slots, ...endpoint }) => reportOf({ isolateId, slotsWanted: [{ endpointId: 'rig', slots }] }, endpoint));
    const property = fc.property(fc.oneof(anything, report, report, report), (message) => {
      const answer = board.exchange(message);
      JSON.stringify(answer, (_, value: unknown) => {
        if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
        return value;
      });
      for (const { inFlight, cap, counters } of answer.endpoints) {
        expect(Math.min(inFlight, cap, counters.fastOk, counters.slowBad)).toBeGreaterThanOrEqual(0);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 2_000 });
  });

  it('I12: knows at most 2,000 endpoints, those heard of last', () => {
    const board = createBoardState({ now: () => NOW_MS });
    for (let place = 0; place < 2_100; place++) board.exchange(reportOf({}, { endpointId: `e${place}` }));
    const saved = board.save().endpoints.map(({ endpointId }) => endpointId);
    expect(saved).toHaveLength(2_000);
    expect(saved[0]).toBe('e100');
  });

  it('scheduled work hears of everything, and is no active isolate', () => {
    const clock = { nowMs: NOW_MS };
    const board = createBoardState({ now: () => clock.nowMs });
    board.exchange(reportOf());
    clock.nowMs += 3_600_000;
    board.exchange(reportOf({}, { endpointId: 'busy' }));
    const jobs = board.exchange(reportOf({ isolateId: JOBS_ISOLATE_ID, endpoints: [] }));
    expect(jobs.endpoints.map(({ endpointId }) => endpointId).toSorted()).toEqual(['busy', 'rig']);
    expect(board.exchange(reportOf()).activeIsolates).toBe(1);
  });

  it('what was stored by another version, or is damaged, is not taken up', () => {
    const board = createBoardState({ now: () => NOW_MS });
    board.exchange(reportOf({}, { observations: [{ kind: 'completed', ageMs: 0, tenant: 't', tpotMs: 20, isProbe: false }] }));
    const saved = board.save();
    const cases: unknown[] = [
      null,
      {},
      { ...saved, protocol: 0 },
      { ...saved, savedAtMs: 'yesterday' },
      { ...saved, endpoints: [{ ...saved.endpoints[0], cap: Number.NaN }, 5, null] },
    ];
    for (const record of cases) {
      const restored = createBoardState({ now: () => NOW_MS });
      restored.restore(record);
      expect(restored.save().endpoints).toEqual([]);
    }
  });
});

describe('what an isolate is answered', () => {
  type Answer = { endpoints: Record<string, unknown>[] } & Record<string, unknown>;
  const changed = (over: object) => (answer: object) => {
    const { endpoints, ...rest } = answer as Answer;
    return { ...rest, endpoints: endpoints.map((endpoint) => ({ ...endpoint, ...over })) };
  };
  it.each([
    ['R16: an answer of an older version', (answer: object) => ({ ...answer, protocol: BOARD_PROTOCOL - 1 })],
    ['an answer without isolates', (answer: object) => ({ ...answer, activeIsolates: 0 })],
    ['no answer at all', () => undefined],
    ['a text', () => 'board'],
    ['a negative count', changed({ counters: { fastOk: -1, fastBad: 0, slowOk: 0, slowBad: 9 } })],
    ['a count that is no number', changed({ counters: { fastOk: Number.NaN, fastBad: 0, slowOk: 0, slowBad: 9 } })],
    ['R11: a latency from the future', changed({ ttft: { logMean: 12, recentMs: [90_000], ageMs: -5_000 } })],
    ['an absurd cap', changed({ cap: -3 })],
    ['a breaker in a state that nobody knows', changed({ breaker: { state: 'ajar', trips: 1 } })],
    ['a negative load', changed({ inFlight: -50 })],
  ])('%s changes nothing of what it knows', async (_, tamper) => {
    const region = openRegion(1);
    repeat(20, () => succeed(at(region, 0).begin(OFFER, FACTS)));
    const before = read(at(region, 0), region.clock.nowMs);
    region.tamper = tamper;
    region.sync(0);
    await region.pass(0);
    await region.pass(30);
    expect(region.reports).toHaveLength(1);
    const known = read(at(region, 0), region.clock.nowMs);
    expect(known).toMatchObject({ inFlight: 0, cap: before?.cap, breaker: 'closed' });
    expect(known?.samples).toBeCloseTo(20, 1);
    expect(known?.ttftNormalisedMs).toBeCloseTo(700, 3);
  });

  it('an opening that would last for years ends with the longest that there is', async () => {
    const region = openRegion(1);
    region.tamper = changed({
      breaker: { state: 'open', trips: 3, remainingMs: 80_000_000 },
      backoff: { remainingMs: 80_000_000, refusals: 1 },
    });
    at(region, 0).begin(OFFER, FACTS);
    region.sync(0);
    await region.pass(30);
    expect(read(at(region, 0), region.clock.nowMs)).toMatchObject({ breaker: 'half_open', backoffUntilMs: 0 });
  });
});
