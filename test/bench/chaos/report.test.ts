import { expect, test } from 'vitest';
import { isSound, toReport, type RunRecord } from '#bench/chaos/report';
import { toTable } from '#bench/chaos/table';
import { composeUnbroken } from '#bench/chaos/unbroken';
import { attempt, outcome, receipt, REQUEST } from './support.ts';

const WHOLE = composeUnbroken(REQUEST, 'miner-swift') ?? '';

function record(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    seed: 1,
    rate: 10,
    outcomes: [
      outcome({ generationId: 'gen-1', text: WHOLE, startedAtMs: 100 }),
      outcome({ generationId: 'gen-2', text: WHOLE, startedAtMs: 1100, ttftMs: 300 }),
      outcome({
        generationId: 'gen-3',
        text: WHOLE.slice(0, 90),
        startedAtMs: 1200,
        ending: 'broken',
        error: 'upstream_failed',
        usage: null,
      }),
    ],
    notSent: 0,
    phases: [
      { fault: null, startMs: 0, endMs: 1000, struck: [], requestsAtEnd: { one: 5, two: 5 } },
      { fault: 'die-mid-stream', startMs: 1000, endMs: 2000, struck: ['one'], requestsAtEnd: { one: 9, two: 8 } },
      { fault: null, startMs: 2000, endMs: 3000, struck: [], requestsAtEnd: { one: 9, two: 9 } },
    ],
    books: {
      receipts: [receipt()],
      attempts: [attempt(), attempt({ role: 'resume' }), attempt({ receiptId: 'gen-3', failureKind: 'timeout_stall' })],
      journal: [],
    },
    generations: new Map([
      ['gen-1', { state: 'completed', chargedNanoUsd: 200, roles: ['first'] }],
      ['gen-2', { state: 'completed', chargedNanoUsd: 200, roles: ['first', 'resume'] }],
      ['gen-3', { state: 'interrupted', chargedNanoUsd: 200, roles: ['first'] }],
    ]),
    violations: [],
    budgetNanoUsd: 1000,
    upstreamCalls: 3,
    rssMbAtStart: 100,
    rssMbAtEnd: 120,
    latenessMs: { p50: 1, p99: 5, max: 20 },
    cpuWaitMs: 30,
    ...changes,
  };
}

test('a run is told by its faults: who was struck, how the load fared, how long it took to recover', () => {
  const report = toReport(record());
  expect(report.calm).toMatchObject({ requests: 1, successRate: 1, ttftP50Ms: 100 });
  expect(report.faults).toMatchObject([
    { fault: 'die-mid-stream', struck: ['one'], startS: 1, callsToStruck: 4, requests: 2, successRate: 0.5, broken: 1, resumed: 1 },
  ]);
  expect(report.endings).toMatchObject({ completed: 2, broken: 1, untyped: 0 });
  expect(report.errors).toEqual({ upstream_failed: 1 });
});

test('streams that were cut are told apart: resumed to the end, byte-exact, or broken', () => {
  expect(toReport(record()).cutStreams).toEqual({
    resumed: 1,
    resumedComplete: 1,
    resumedExact: 1,
    broken: 1,
    brokenByApi: { chat: 1 },
    brokenByFailure: { timeout_stall: 1 },
  });
  const spoilt = record().outcomes.map((one) =>
    one.generationId === 'gen-2' ? { ...one, text: `${WHOLE.slice(0, 80)}?${WHOLE.slice(80)}` } : one,
  );
  const report = toReport(record({ outcomes: spoilt }));
  expect(report.cutStreams.resumedExact).toBe(0);
  expect(report.texts).toEqual({ compared: 3, exact: 2, other_end: 0, garbled: 1 });
  expect(isSound(report)).toBe(false);
});

test('a broken stream with its typed error is bad luck, not a fault of the books: the run is sound', () => {
  expect(isSound(toReport(record()))).toBe(true);
});

test.each([
  { why: 'an untyped end', changes: { outcomes: [outcome({ ending: 'untyped', error: 'terminated' })] } },
  { why: 'a client that waited in vain', changes: { outcomes: [outcome({ ending: 'silent' })] } },
  { why: 'an error of our own', changes: { outcomes: [outcome({ ending: 'failed', error: 'internal_error' })] } },
  { why: 'a fault of the books', changes: { violations: [{ fault: 'rowsLost', detail: 'gen-9 has no receipt' }] } },
] satisfies { why: string; changes: Partial<RunRecord> }[])('$why makes a run unsound, and the report shows it', ({ changes }) => {
  const report = toReport(record(changes));
  expect(isSound(report)).toBe(false);
  expect(report.examples.length).toBeGreaterThan(0);
  expect(toTable(report)).toMatch(/WRONG {2}\w+ +1/);
});

test("a machine that was too busy is told of, because its times are not the router's", () => {
  expect(toTable(toReport(record()))).not.toContain('too busy');
  const busy = toReport(record({ cpuWaitMs: 600 }));
  expect(busy.cpuWaitShare).toBe(0.2);
  expect(toTable(busy)).toContain('20.00 %: this machine was too busy');
});

test('a run without anything to divide by still has a report', () => {
  const nothing = {
    outcomes: [],
    phases: [],
    books: { receipts: [], attempts: [], journal: [] },
    generations: new Map(),
    rssMbAtStart: null,
  };
  const report = toReport(record(nothing));
  expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity/);
  expect(report).toMatchObject({ successRate: 1, attempts: { perRequest: 0 }, calm: { ttftP50Ms: null } });
  expect(toTable(report)).toContain('– at the start');
});
