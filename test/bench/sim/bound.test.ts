import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { solveBound, type BoundOption, type BoundProblem } from '#bench/sim/bound';
import { costProblem } from '#bench/sim/bound-problem';
import type { SimEndpoint, SimRequest } from '#bench/sim/contract';
import { simulate } from '#bench/sim/engine';
import { isGood } from '#bench/sim/slo';
import { LEAST_OUTSTANDING } from '#bench/sim/rivals/least-outstanding';
import { CHEAPEST, RANDOM } from '#bench/sim/rivals/blind';
import { toPolicy } from '#bench/sim/rivals/rival';
import { generateWorkload } from '#bench/sim/workloads/generated';
import { toRequests } from '#bench/sim/workloads/to-requests';
import { usdPerMillion } from '#bench/sim/world/default-fleet';

const PLACES = 3;
const PERIODS = 3;
const ANYWHEN = { first: 0, last: 1 };

/** Problems that one given assignment solves, which is given, too. */
const solvable = fc
  .array(
    fc.record({
      period: fc.nat({ max: PERIODS - 2 }),
      costs: fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 })),
      slots: fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 })),
      choice: fc.nat({ max: PLACES - 1 }),
      isLate: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((rows) => {
    const capacity = new Float64Array(PLACES * PERIODS);
    let cost = 0;
    const tasks = rows.map(({ period, costs, slots, choice, isLate }): BoundOption[] => {
      const at = choice * PERIODS + period + (isLate ? 1 : 0);
      capacity[at] = (capacity[at] ?? 0) + (slots[choice] ?? 0);
      cost += costs[choice] ?? 0;
      return costs.map((each, place) => ({ place, cost: each, slotMs: slots[place] ?? 1, first: period, last: period + 1 }));
    });
    return { problem: { tasks, periods: PERIODS, capacity } satisfies BoundProblem, cost };
  });

describe('the bound', () => {
  test('is never above any assignment that fits (weak duality), nor above the one that it finds itself', () => {
    fc.assert(
      fc.property(solvable, ({ problem, cost }) => {
        const { lower, feasible } = solveBound(problem);
        expect(lower).toBeLessThanOrEqual(cost * (1 + 1e-9));
        if (feasible !== null) expect(lower).toBeLessThanOrEqual(feasible * (1 + 1e-9));
      }),
      { numRuns: 300 },
    );
  });

  test('is the sum of the cheapest options where machine time is plenty', () => {
    const tasks = [1, 2, 3].map((cost): BoundOption[] => [
      { ...ANYWHEN, place: 0, cost, slotMs: 5 },
      { ...ANYWHEN, place: 1, cost: 9, slotMs: 1 },
    ]);
    expect(solveBound({ tasks, periods: 2, capacity: Float64Array.of(100, 0, 100, 0) })).toEqual({ lower: 6, feasible: 6 });
  });

  test('pays for the dear place what the cheap one has no time for', () => {
    const tasks = Array.from({ length: 100 }, (): BoundOption[] => [
      { ...ANYWHEN, place: 0, cost: 1, slotMs: 10 },
      { ...ANYWHEN, place: 1, cost: 3, slotMs: 10 },
    ]);
    // Room for 40 in the first period and 20 in the second at the cheap place.
    const { lower, feasible } = solveBound({ tasks, periods: 2, capacity: Float64Array.of(400, 200, 10_000, 0) });
    expect(feasible).toBe(60 + 3 * 40);
    expect(lower).toBeGreaterThan(0.99 * 180);
    expect(lower).toBeLessThanOrEqual(180 + 1e-6);
  });
});

describe('the bound of a run', () => {
  const endpoint = (id: string, rest: Partial<SimEndpoint>): SimEndpoint => ({
    id,
    operatorId: id,
    supply: 'subnet',
    price: usdPerMillion(0.1, 0.3),
    declaredSlots: null,
    context: 32_768,
    quantization: 'fp8',
    continues: false,
    slots: 6,
    queueMax: 6,
    firstTokenMsP50: 300,
    firstTokenSigma: 0.2,
    prefillTokensPerSecond: 6_000,
    tpotMs: 20,
    tpotSigma: 0.1,
    cache: null,
    failureShare: 0.01,
    breakShare: 0,
    billing: { onFailure: true, onCancel: true },
    ...rest,
  });
  const fleet = {
    endpoints: [
      endpoint('cheap', {}),
      endpoint('middle', { price: usdPerMillion(0.15, 0.45), slots: 10 }),
      endpoint('dear', { price: usdPerMillion(0.4, 1.2), slots: 200 }),
      endpoint('slow', { price: usdPerMillion(0.01, 0.01), tpotMs: 80, slots: 100 }),
    ],
    spells: [],
    prices: [],
    listings: [],
    isReplay: true,
  };
  const scenario = { name: 'test', description: '', isFault: false, isHardOutage: false, trouble: () => null, stage: () => fleet };
  const simulated = (rival: typeof RANDOM, requests: readonly SimRequest[]) =>
    simulate({ seed: 4, scenario, fleet, requests, policy: toPolicy(rival), isolates: 4, syncMs: 2_000 });
  const requests = toRequests(generateWorkload('azure-conv', { seed: 4, count: 1_200, speed: 0.6 }));

  test.each([
    ['random', RANDOM],
    ['least-outstanding', LEAST_OUTSTANDING],
    ['cheapest-fallback', CHEAPEST],
  ])('is never above what %s paid for the requests that it served well', async (_, rival) => {
    const run = await simulated(rival, requests);
    const paid = run.results.filter(isGood).reduce((sum, { calls }) => sum + calls.reduce((own, call) => own + call.billedNanoUsd, 0), 0);
    const { lower, feasible } = solveBound(costProblem(run));
    expect(lower).toBeGreaterThan(0);
    expect(lower).toBeLessThanOrEqual(paid);
    expect(lower).toBeLessThanOrEqual(feasible ?? Infinity);
  });

  test('is never above what another policy paid for the same requests', async () => {
    const run = await simulated(LEAST_OUTSTANDING, requests);
    const other = await simulated(RANDOM, requests);
    const servedByBoth = new Set(other.results.filter(isGood).map(({ request }) => request.id));
    const both = { ...run, results: run.results.filter((result) => isGood(result) && servedByBoth.has(result.request.id)) };
    const ids = new Set(both.results.map(({ request }) => request.id));
    const paid = other.results
      .filter(({ request }) => ids.has(request.id))
      .reduce((sum, { calls }) => sum + calls.reduce((own, call) => own + call.billedNanoUsd, 0), 0);
    expect(solveBound(costProblem(both)).lower).toBeLessThanOrEqual(paid);
  });

  test('leaves out endpoints that can not keep the pace, however cheap', async () => {
    const run = await simulated(LEAST_OUTSTANDING, requests.slice(0, 300));
    const slow = fleet.endpoints.findIndex(({ id }) => id === 'slow');
    expect(costProblem(run).tasks.some((options) => options.some(({ place }) => place === slow))).toBe(false);
  });

  test('is higher while the cheap endpoint is down', async () => {
    const run = await simulated(LEAST_OUTSTANDING, requests);
    const good = run.results.filter((result) => isGood(result) && result.calls.at(-1)?.endpointId !== 'cheap');
    const up = { ...run, results: good };
    const down = { ...up, truth: { ...run.truth, upShare: (id: string) => (id === 'cheap' ? 0 : 1) } };
    expect(solveBound(costProblem(down)).lower).toBeGreaterThan(1.05 * solveBound(costProblem(up)).lower);
  });
});
