import { expect, test } from 'vitest';
import type { EndpointHealth } from '#schema/health';
import type { PlanCandidate, PlanInputs, PlanRecord, PlanRejection } from '#schema/receipt';
import { decodePlan, encodePlan, type CompactPlan } from '#src/ledger/plan-text';
import { sampleReceipt } from './sample-receipt.ts';

const CANDIDATE: PlanCandidate = {
  endpointId: 'a',
  provider: 'chutes',
  tag: 'chutes/fp8',
  supply: 'subnet',
  tier: 'no_training',
  rank: 1,
  index: 1.2346,
  terms: { price: 0.9, ttft: 0.0671, ttftMiss: 0, tpot: 0.0625, verification: 0.2, risk: 0.005 },
  costNanoUsd: 27_000,
  ttftMs: 412,
  tpotMs: 16.7,
  failureProbability: 0.0312,
  cacheHit: 0.5123,
  load: { inFlight: 3.4, cap: 8 },
  gates: ['cap'],
  basis: { ttft: 'measured', tpot: 'probe', load: 'node' },
};
const REJECTION: PlanRejection = { endpointId: 'b', provider: 'lium', supply: 'subnet', filter: 'H1', reason: 'tier open, at least blind' };

const READING: EndpointHealth = {
  samples: 12,
  failureProbability: 0.031234567890123,
  failureProbabilityLong: 0.1,
  ttftNormalisedMs: 412.7182818284591,
  ttftNormalisedMsP90: 700.123456789,
  ttftNormalisedMsP95: null,
  tpotMs: 16.74999999,
  inFlight: 3,
  cap: 8.353553390593273,
  backoffUntilMs: 1_795_000_004_000,
  breaker: 'half_open',
  credentialDisabled: false,
  inFlightTokens: 3_400,
  likelyInFlightTokens: 5_100,
  nodeLoad: { running: 3, waiting: 1, kvUsage: 0.41234567, ageMs: 812 },
};
const INPUTS: PlanInputs = {
  facts: {
    ...sampleReceipt().plan.facts,
    needs: ['tools'],
    teamId: 't1',
    operation: 'chat',
    choices: 1,
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
    affinity: { key: '0123456789abcdef', prefixTokens: 80, isNamed: false },
  },
  policy: { name: 'eu', version: 3, minTier: 'no_training' },
  models: ['qwen/qwen3-8b', 'qwen/qwen3-14b'],
  roll: 0.6180339887498949,
  home: { endpointId: 'a', cacheHit: 0.7912345 },
  readings: [READING],
};

function planWith(changes: Partial<PlanRecord>): PlanRecord {
  return { ...sampleReceipt().plan, relaxed: ['backoff'], candidates: [CANDIDATE], rejections: [REJECTION], ...changes };
}

function stored(plan: PlanRecord): PlanRecord {
  return decodePlan(JSON.parse(JSON.stringify(encodePlan(plan))) as CompactPlan);
}

test('a plan comes back from its text as it was', () => {
  expect(stored(planWith({}))).toEqual(planWith({}));
  const ordered = planWith({ method: 'order', candidates: [{ ...CANDIDATE, index: null }], rejections: [] });
  expect(stored(ordered)).toEqual(ordered);
});

test('candidates that were skipped come back, the first 64; a plan without any says nothing of them', () => {
  const skipped = Array.from({ length: 100 }, (_none, place) => ({ ...REJECTION, endpointId: `b${place}`, filter: 'full' }));
  expect(stored(planWith({ skipped })).skipped).toEqual(skipped.slice(0, 64));
  expect(JSON.stringify(encodePlan(planWith({})))).not.toContain('skipped');
});

test('numbers are rounded to what a reader can use', () => {
  const exact = { ...CANDIDATE, index: 1.234_567, ttftMs: 411.7, tpotMs: 16.749, failureProbability: 0.031_249 };
  expect(stored(planWith({ candidates: [exact] })).candidates[0]).toEqual({ ...CANDIDATE, index: 1.2346, failureProbability: 0.0312 });
});

test('the best 32 candidates and the first 64 rejections are kept', () => {
  const candidates = Array.from({ length: 100 }, (_none, place) => ({ ...CANDIDATE, rank: place + 1 }));
  const rejections = Array.from({ length: 100 }, (_none, place) => ({ ...REJECTION, endpointId: `b${place}` }));
  const plan = stored(planWith({ candidates, rejections }));
  expect(plan.candidates).toEqual(candidates.slice(0, 32));
  expect(plan.rejections).toEqual(rejections.slice(0, 64));
});

test('the text names the columns of its candidates', () => {
  const { columns, candidates } = encodePlan(planWith({}));
  expect(candidates[0]).toHaveLength(columns.length);
  expect(candidates[0]?.[columns.indexOf('cost_nano_usd')]).toBe(27_000);
  expect(candidates[0]?.[columns.indexOf('failure_probability')]).toBe(0.0312);
});

test('what a plan depended on comes back in every digit, but for the q95 and the parts of a sample that no plan reads', () => {
  const plan = planWith({ inputs: INPUTS, facts: { ...sampleReceipt().plan.facts, needs: ['tools'] } });
  expect(stored(plan)).toEqual(plan);
  const { failureProbabilityLong: _long, ...short } = READING;
  const readings = [null, { ...short, ttftNormalisedMs: null, credentialDisabled: true, samples: 12.9, ttftNormalisedMsP95: 900 }];
  const other = { ...INPUTS, home: null, readings };
  const expected = { ...other, readings: [null, { ...short, ttftNormalisedMs: null, credentialDisabled: true }] };
  expect(stored(planWith({ inputs: other })).inputs).toEqual(expected);
});

test('readings are kept for the candidates that are', () => {
  const candidates = Array.from({ length: 64 }, (_none, place) => ({ ...CANDIDATE, rank: place + 1 }));
  expect(stored(planWith({ candidates, inputs: { ...INPUTS, readings: candidates.map(() => READING) } })).inputs?.readings).toHaveLength(
    32,
  );
});

test('a plan from before inputs and terms were kept is still read', () => {
  const { inputs: _inputs, candidates, ...rest } = encodePlan(planWith({}));
  const old = { ...rest, candidates: candidates.map((row) => row.slice(0, 12)) } as unknown as CompactPlan;
  expect(decodePlan(old)).toMatchObject({
    inputs: null,
    candidates: [{ endpointId: 'a', gates: ['cap'], terms: null, cacheHit: 0, load: null }],
  });
});

test('what a node said of its load and what we had there come back, each alone and together; a reading without them is as short as before', () => {
  const { failureProbabilityLong: _long, inFlightTokens, likelyInFlightTokens, nodeLoad, ...bare } = READING;
  const rare = [
    {},
    { inFlightTokens },
    { nodeLoad },
    { inFlightTokens, nodeLoad },
    { inFlightTokens, likelyInFlightTokens },
    { nodeLoad: { ...nodeLoad, kvUsage: null } },
  ];
  const readings = rare.map((some) => ({ ...bare, ...some }) as EndpointHealth);
  const candidates = readings.map((_reading, place) => ({ ...CANDIDATE, rank: place + 1 }));
  const text = encodePlan(planWith({ candidates, inputs: { ...INPUTS, readings } }));
  expect(decodePlan(text).inputs?.readings).toEqual(readings);
  expect(text.inputs?.readings[0]).toHaveLength(11);
});

test('a candidate from before its basis was kept is still read', () => {
  const { basis: _basis, ...before } = CANDIDATE;
  expect(stored(planWith({ candidates: [before] })).candidates).toEqual([before]);
  const { candidates, ...rest } = encodePlan(planWith({}));
  const old = { ...rest, candidates: candidates.map((row) => row.slice(0, 15)) } as unknown as CompactPlan;
  expect(decodePlan(old).candidates).toEqual([before]);
});

test('inputs and terms of eight candidates take at most 1.5 kB more', () => {
  const candidates = Array.from({ length: 8 }, (_none, place) => ({ ...CANDIDATE, rank: place + 1 }));
  const bare = candidates.map((candidate) => ({ ...candidate, terms: null, load: null }));
  const size = (changes: Partial<PlanRecord>): number => JSON.stringify(encodePlan(planWith(changes))).length;
  const { failureProbabilityLong: _long, inFlightTokens: _tokens, likelyInFlightTokens: _likely, nodeLoad: _load, ...reading } = READING;
  const inputs = { ...INPUTS, readings: candidates.map(() => reading) };
  expect(size({ candidates, inputs }) - size({ candidates: bare, inputs: null })).toBeLessThanOrEqual(1_500);
});
