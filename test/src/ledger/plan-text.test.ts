import { expect, test } from 'vitest';
import type { PlanCandidate, PlanRecord, PlanRejection } from '#schema/receipt';
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
  costNanoUsd: 27_000,
  ttftMs: 412,
  tpotMs: 16.7,
  failureProbability: 0.0312,
  gates: ['cap'],
};
const REJECTION: PlanRejection = { endpointId: 'b', provider: 'lium', supply: 'subnet', filter: 'H1', reason: 'tier open, at least blind' };

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
