import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAnswer, checkReport } from '#src/health/board-check';
import { boardNameOf, concerns } from '#src/health/board-name';
import { BOARD_PROTOCOL } from '#src/health/board-port';
import { createBoardState } from '#src/health/board-state';
import { offerOf } from '#test/src/routing/fleet';
import { SEED } from '#test/support/seed';
import { at, openRegion } from './region.ts';
import { fail, FACTS, OFFER, read, repeat, setUp, succeed } from './scene.ts';

const LOAD = { running: 5, waiting: 2, kvUsage: 0.5 };
const REPORT = { load: LOAD, ageMs: 0, endpoints: [{ endpointId: 'rig', modelId: 'lab/model', operatorId: 'op' }] };
/** Prompt and expected answer of `FACTS`. */
const TOKENS = 1_150 + 250;

describe('what a node says of its load', () => {
  it('R11: is read with its age, and after fifteen seconds it is unknown, never zero', () => {
    const { clock, health } = setUp();
    const flight = health.begin(OFFER, FACTS);
    flight.nodeLoad(LOAD);
    succeed(flight);
    expect(read(health, clock.nowMs)?.nodeLoad).toEqual({ ...LOAD, ageMs: 0 });
    clock.nowMs += 14_999;
    expect(read(health, clock.nowMs)?.nodeLoad).toEqual({ ...LOAD, ageMs: 14_999 });
    clock.nowMs += 1;
    expect(read(health, clock.nowMs)).not.toHaveProperty('nodeLoad');
  });

  it('R15: is not read from a clock that has jumped back, and a later word counts again', () => {
    const { clock, health } = setUp();
    const flight = health.begin(OFFER, FACTS);
    flight.nodeLoad(LOAD);
    clock.nowMs -= 60_000;
    expect(read(health, clock.nowMs)).not.toHaveProperty('nodeLoad');
    flight.nodeLoad({ ...LOAD, waiting: 9 });
    expect(read(health, clock.nowMs)?.nodeLoad).toMatchObject({ waiting: 9, ageMs: 0 });
  });

  it('says nothing of failures, speed or the cap', () => {
    const { clock, health } = setUp();
    const before = setUp();
    const flight = health.begin(OFFER, FACTS);
    flight.nodeLoad({ running: 4_000, waiting: 4_000, kvUsage: 1 });
    const { nodeLoad: _load, ...reading } = read(health, clock.nowMs) ?? {};
    before.health.begin(OFFER, FACTS);
    expect(reading).toEqual(read(before.health, before.clock.nowMs));
  });

  it('reaches other isolates over the board, older by the way that it took', async () => {
    const region = openRegion(2);
    const flight = at(region, 0).begin(OFFER, FACTS);
    flight.nodeLoad(LOAD);
    await region.pass(1_000);
    region.sync(0);
    await region.pass(50);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(50);
    expect(read(at(region, 1), region.clock.nowMs)?.nodeLoad).toMatchObject(LOAD);
    expect(read(at(region, 1), region.clock.nowMs)?.nodeLoad?.ageMs).toBeGreaterThanOrEqual(1_000);
    await region.pass(14_000);
    expect(read(at(region, 1), region.clock.nowMs)).not.toHaveProperty('nodeLoad');
  });

  it('is told once however often it is heard, and pushes nothing else out of a report', async () => {
    const region = openRegion(1);
    const flights = Array.from({ length: 150 }, () => at(region, 0).begin(OFFER, FACTS));
    for (const [place, flight] of flights.entries()) {
      flight.nodeLoad({ ...LOAD, waiting: place });
      fail(flight, 'upstream_error');
    }
    region.sync(0);
    await region.pass(50);
    const told = region.reports[0]?.endpoints[0]?.observations ?? [];
    expect(told.filter(({ kind }) => kind === 'load')).toMatchObject([{ waiting: 149 }]);
    expect(told.filter(({ kind }) => kind === 'failed')).toHaveLength(150);
  });

  it('does not keep answers that end together from being told as one', async () => {
    const region = openRegion(1);
    repeat(20, () => {
      const flight = at(region, 0).begin(OFFER, FACTS);
      flight.nodeLoad(LOAD);
      flight.end({ outcome: 'completed', failure: null, completionTokens: 10, durationMs: 900 });
    });
    region.sync(0);
    await region.pass(50);
    expect(region.reports[0]?.endpoints[0]?.observations).toHaveLength(2);
  });
});

describe('a report of a node’s link', () => {
  it('reaches isolates that have never called the node', async () => {
    const region = openRegion(1);
    region.board.hearLoad(REPORT);
    succeed(at(region, 0).begin(offerOf({ endpointId: 'other' }), FACTS));
    region.sync(0);
    await region.pass(50);
    expect(read(at(region, 0), region.clock.nowMs)?.nodeLoad).toMatchObject(LOAD);
  });

  it('counts from when the node said so, and an earlier word never replaces a later one', async () => {
    const region = openRegion(1);
    region.board.hearLoad({ ...REPORT, load: { ...LOAD, waiting: 7 }, ageMs: 1_000 });
    region.board.hearLoad({ ...REPORT, ageMs: 5_000 });
    at(region, 0).begin(OFFER, FACTS);
    region.sync(0);
    await region.pass(50);
    expect(read(at(region, 0), region.clock.nowMs)?.nodeLoad).toMatchObject({ waiting: 7 });
    expect(read(at(region, 0), region.clock.nowMs)?.nodeLoad?.ageMs).toBeGreaterThanOrEqual(1_000);
  });

  it('without a load ends the last word at the board', () => {
    const clock = { nowMs: 1_800_000_000_000 };
    const board = createBoardState({ now: () => clock.nowMs });
    const ask = () =>
      board.exchange({ protocol: BOARD_PROTOCOL, isolateId: 'i', answerAgeMs: null, endpoints: [], slotsWanted: [] }).endpoints[0];
    board.hearLoad(REPORT);
    expect(ask()?.nodeLoad).toMatchObject(LOAD);
    board.hearLoad({ ...REPORT, load: null });
    expect(ask()).not.toHaveProperty('nodeLoad');
  });

  it('that makes no sense is ignored as a whole', () => {
    const clock = { nowMs: 1_800_000_000_000 };
    const board = createBoardState({ now: () => clock.nowMs });
    const absurd = [null, 'x', {}, { ...REPORT, ageMs: -1 }, { ...REPORT, load: { running: -1, waiting: 0, kvUsage: 0 } }];
    for (const report of [...absurd, { ...REPORT, load: { ...LOAD, kvUsage: 1.2 } }, { ...REPORT, endpoints: [{ endpointId: '' }] }]) {
      expect(() => board.hearLoad(report)).not.toThrow();
    }
    const heard = board.exchange({ protocol: BOARD_PROTOCOL, isolateId: 'i', answerAgeMs: null, endpoints: [], slotsWanted: [] });
    expect(heard.endpoints).toEqual([]);
  });

  it('is passed on to the boards of its model in every region, and to no other', () => {
    const own = ['local', 'eu', 'na'].map((region) => boardNameOf(region, 'lab/model'));
    for (const name of own) expect(concerns(name, 'lab/model')).toBe(true);
    const others = Array.from({ length: 16 }, (_, group) => `eu/${group}`).filter((name) => !own.includes(name));
    expect(others).toHaveLength(15);
    for (const name of [...others, 'registry', '']) expect(concerns(name, 'lab/model')).toBe(false);
  });
});

describe('tokens in flight', () => {
  it('are the prompt and the expected answer of what is there, and absent where nothing is', () => {
    const { clock, health } = setUp();
    const flights = [health.begin(OFFER, FACTS), health.begin(OFFER, { ...FACTS, promptTokens: 9_000 })];
    expect(read(health, clock.nowMs)?.inFlightTokens).toBe(TOKENS + 9_250);
    succeed(flights[1] ?? health.begin(OFFER, FACTS));
    expect(read(health, clock.nowMs)?.inFlightTokens).toBe(TOKENS);
    flights[0]?.end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 5 });
    expect(read(health, clock.nowMs)).not.toHaveProperty('inFlightTokens');
  });

  it('are surely what all isolates have told, and likely more where the own ones have changed since', async () => {
    const region = openRegion(2);
    repeat(2, () => at(region, 0).begin(OFFER, FACTS));
    region.sync(0);
    await region.pass(50);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(50);
    const isolate = at(region, 1);
    expect(read(isolate, region.clock.nowMs)).toMatchObject({ inFlightTokens: 3 * TOKENS });
    expect(read(isolate, region.clock.nowMs)).not.toHaveProperty('likelyInFlightTokens');
    isolate.begin(OFFER, FACTS);
    expect(read(isolate, region.clock.nowMs)).toMatchObject({ inFlightTokens: 4 * TOKENS, likelyInFlightTokens: 5 * TOKENS });
  });

  it('of an isolate that died are given up with its requests', async () => {
    const region = openRegion(2);
    repeat(5, () => at(region, 0).begin(OFFER, FACTS));
    region.sync(0);
    await region.pass(50);
    const other = offerOf({ endpointId: 'other', operatorId: 'op' });
    for (let second = 0; second < 34; second += 2) {
      succeed(at(region, 1).begin(other, FACTS));
      region.sync(1);
      await region.pass(2_000);
      if (second === 10) expect(read(at(region, 1), region.clock.nowMs)?.inFlightTokens).toBe(5 * TOKENS);
    }
    expect(read(at(region, 1), region.clock.nowMs)).not.toHaveProperty('inFlightTokens');
  });

  it('are the own ones alone where the board does not count any', async () => {
    const region = openRegion(2);
    region.tamper = (answer) => {
      const { endpoints, ...rest } = answer as { endpoints: object[] };
      return { ...rest, endpoints: endpoints.map((endpoint) => ({ ...endpoint, inFlightTokens: undefined })) };
    };
    repeat(2, () => at(region, 0).begin(OFFER, FACTS));
    region.sync(0);
    await region.pass(50);
    at(region, 1).begin(OFFER, FACTS);
    region.sync(1);
    await region.pass(50);
    expect(read(at(region, 1), region.clock.nowMs)).toMatchObject({ inFlight: 3, inFlightTokens: TOKENS });
  });

  it('never fall below zero nor below the own ones, whatever begins and ends where', async () => {
    const step = fc.record({ isolate: fc.integer({ min: 0, max: 2 }), begins: fc.boolean(), syncs: fc.boolean(), tokens: fc.nat(20_000) });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const region = openRegion(3);
      const open: { tokens: number; end(): void }[][] = [[], [], []];
      for (const { isolate, begins, syncs, tokens } of steps) {
        const own = open[isolate] ?? [];
        if (begins) {
          const flight = at(region, isolate).begin(OFFER, { ...FACTS, promptTokens: tokens });
          const end = () => flight.end({ outcome: 'cancelled', failure: null, completionTokens: 0, durationMs: 1 });
          own.push({ tokens: tokens + 250, end });
        } else own.shift()?.end();
        if (syncs) region.sync(isolate);
        await region.pass(300);
        const ownTokens = own.reduce((sum, one) => sum + one.tokens, 0);
        const { inFlightTokens = 0, likelyInFlightTokens = inFlightTokens } = read(at(region, isolate), region.clock.nowMs) ?? {};
        expect(inFlightTokens).toBeGreaterThanOrEqual(ownTokens);
        expect(likelyInFlightTokens).toBeGreaterThanOrEqual(inFlightTokens);
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: 60 });
  });
});

describe('R16: messages of other versions', () => {
  const report = { endpointId: 'a', operatorId: 'op', isAnonymous: false, declaredSlots: null, inFlight: 1, observations: [] };
  const message = (endpoint: object) => checkReport({ protocol: BOARD_PROTOCOL, isolateId: 'i', endpoints: [endpoint], slotsWanted: [] });

  it('a report without tokens is a report, and one with absurd tokens has none', () => {
    expect(message(report)?.endpoints[0]).toEqual(report);
    expect(message({ ...report, inFlightTokens: 5 })?.endpoints[0]).toEqual({ ...report, inFlightTokens: 5 });
    for (const inFlightTokens of [-1, Number.NaN, Infinity, '5']) {
      expect(message({ ...report, inFlightTokens })?.endpoints[0]).toEqual(report);
    }
  });

  it('a load that makes no sense is left out, with everything else kept', () => {
    const loads = [
      { running: 1, waiting: -1, kvUsage: 0 },
      { running: 1, waiting: 0, kvUsage: 2 },
      { running: 1, waiting: 0 },
    ];
    const observations = [...loads, LOAD].map((load) => ({ kind: 'load', ageMs: 5, ...load }));
    expect(message({ ...report, observations })?.endpoints[0]?.observations).toEqual([{ kind: 'load', ageMs: 5, ...LOAD }]);
    const board = createBoardState({ now: () => 1_800_000_000_000 });
    board.hearLoad(REPORT);
    const answer = board.exchange({ protocol: BOARD_PROTOCOL, isolateId: 'i', answerAgeMs: null, endpoints: [], slotsWanted: [] });
    const tampered = { ...answer, endpoints: answer.endpoints.map((one) => ({ ...one, nodeLoad: { ...LOAD, kvUsage: 7, ageMs: 0 } })) };
    expect(checkAnswer(answer)?.endpoints[0]?.nodeLoad).toEqual({ ...LOAD, ageMs: 0 });
    expect(checkAnswer(tampered)?.endpoints[0]).not.toHaveProperty('nodeLoad');
    expect(checkAnswer(tampered)?.endpoints).toHaveLength(1);
  });
});
