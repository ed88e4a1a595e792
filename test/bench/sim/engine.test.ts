import { describe, expect, it } from 'vitest';
import type { Policy, RunOrder, Scenario, SimRequest, Stage } from '#bench/sim/contract';
import { simulate } from '#bench/sim/engine';
import { HEADRACE_POLICIES } from '#bench/sim/headrace/headrace';
import { SCENARIOS } from '#bench/sim/scenarios';
import { chanceOf, exponential, lognormal } from '#bench/sim/world/chance';
import { defaultFleet } from '#bench/sim/world/default-fleet';
import { fleetOf, PLAIN, requestOf, spellOf } from './world/fixtures.ts';

const CALM = scenarioOf('calm');
const OURS = policyOf('headrace');

function scenarioOf(name: string): Scenario {
  return SCENARIOS.find((scenario) => scenario.name === name) as Scenario;
}

function policyOf(name: string): Policy {
  return HEADRACE_POLICIES.find((policy) => policy.name === name) as Policy;
}

function traffic(count: number, seed = 1): SimRequest[] {
  const random = chanceOf(seed, 'traffic');
  let arrivedAtMs = 0;
  return Array.from({ length: count }, (_, id) =>
    requestOf({
      id,
      arrivedAtMs: (arrivedAtMs += exponential(random, 130)),
      teamId: `team-${id % 3}`,
      promptTokens: Math.round(lognormal(random, 900, 0.6)),
      outputTokens: Math.ceil(lognormal(random, 120, 0.7)),
    }),
  );
}

function orderOf(fields: Partial<RunOrder> = {}): RunOrder {
  return {
    seed: 1,
    scenario: CALM,
    fleet: defaultFleet(1),
    requests: traffic(400),
    policy: OURS,
    isolates: 4,
    syncMs: 2_000,
    ...fields,
  };
}

/** Calls the first endpoint of the catalogue, and nothing else. */
function faithful(serve?: (stage: Stage) => ReturnType<Policy['open']>): Policy {
  return {
    name: 'faithful',
    description: 'test',
    isAsync: false,
    open:
      serve ??
      ((stage) => ({
        serve(request, isolate, client) {
          const [first] = stage.listings();
          stage.call({
            endpointId: first?.id ?? '',
            request,
            isolate,
            role: 'first',
            listener: {
              tokens: (count) => client.deliver(count),
              ended: (failure) => (failure === null ? client.complete() : client.fail(failure.kind)),
            },
          });
        },
      })),
  };
}

describe('engine', () => {
  it.each(['headrace', 'headrace-latency', 'headrace-no-board'])('%s: the same seed gives the same run, byte for byte', async (name) => {
    const order = orderOf({ policy: policyOf(name), scenario: scenarioOf('brown-out'), requests: traffic(800) });
    const [once, again] = [await simulate(order), await simulate(order)];
    expect(JSON.stringify(again)).toBe(JSON.stringify(once));
    const other = await simulate({ ...order, seed: 2 });
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(once));
  });

  it('gives a request the same isolate, and a call the same luck, whatever the policy does', async () => {
    const fleet = fleetOf([{ ...PLAIN, slots: 1_000, failureShare: 0.04, breakShare: 0.1 }]);
    const [ours, theirs] = [await simulate(orderOf({ fleet })), await simulate(orderOf({ fleet, policy: faithful() }))];
    expect(theirs.results.map(({ isolate }) => isolate)).toEqual(ours.results.map(({ isolate }) => isolate));
    const firstCalls = (run: typeof ours) => run.results.map(({ calls: [first] }) => first?.outcome);
    const theirFirst = firstCalls(theirs);
    // A call that never answers is cancelled by those who have a timeout.
    const pairs = firstCalls(ours).flatMap((outcome, place) =>
      outcome === undefined || outcome === 'cancelled' ? [] : [[outcome, theirFirst[place]]],
    );
    expect(pairs.filter(([own, other]) => own !== other)).toEqual([]);
    expect(new Set(pairs.map(([own]) => own))).toEqual(new Set(['completed', 'failed', 'broken']));
  });

  it('writes down what clients got, and what each call cost', async () => {
    const { results, endpoints } = await simulate(orderOf({ fleet: fleetOf([PLAIN]), policy: faithful(), requests: [requestOf()] }));
    expect(results).toMatchObject([
      {
        outcome: 'completed',
        reason: null,
        deliveredTokens: 100,
        calls: [{ endpointId: 'plain', outcome: 'completed', tokens: 100, billedNanoUsd: 1_200_000 }],
      },
    ]);
    expect(results[0]?.ttftMs).toBeCloseTo(101.25, 6);
    expect(results[0]?.tpotMs).toBeCloseTo(13, 6);
    expect(endpoints).toMatchObject([{ endpointId: 'plain', calls: 1, billedNanoUsd: 1_200_000 }]);
  });

  it('ends a run whose requests never end, and says which', async () => {
    const { results } = await simulate(
      orderOf({ fleet: fleetOf([PLAIN], [spellOf({ kind: 'hang' })]), policy: faithful(), requests: [requestOf()] }),
    );
    expect(results[0]).toMatchObject({ outcome: 'unfinished', ttftMs: null, deliveredTokens: 0 });
  });

  it.each<[string, (client: Parameters<ReturnType<Policy['open']>['serve']>[2]) => void]>([
    [
      'ends a request twice',
      (client) => {
        client.fail('once');
        client.fail('twice');
      },
    ],
    ['completes an answer that is not whole', (client) => client.complete()],
    ['delivers more than the answer has', (client) => client.deliver(101)],
  ])('rejects a policy that %s', async (_, misbehave) => {
    const policy = faithful((stage) => ({ serve: (_request, _isolate, client) => stage.after(5, () => misbehave(client)) }));
    await expect(simulate(orderOf({ policy, requests: [requestOf()] }))).rejects.toThrow(/request 0/);
  });

  it('bills every call once: what endpoints took is what the requests and canaries cost', async () => {
    const run = await simulate(orderOf({ policy: policyOf('headrace-latency'), scenario: scenarioOf('silent'), requests: traffic(1_000) }));
    const byRequests = run.results.flatMap(({ calls }) => calls).reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, 0);
    const byEndpoints = run.endpoints.reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, 0);
    expect(byRequests + run.canaries.billedNanoUsd).toBe(byEndpoints);
    expect(new Set(run.results.map(({ request }) => request.id)).size).toBe(1_000);
  });

  it.each(SCENARIOS)('$name: our router ends every request, whole or with a reason', async (scenario) => {
    const run = await simulate(orderOf({ scenario, requests: traffic(600) }));
    for (const { outcome, reason, deliveredTokens, request } of run.results) {
      expect(outcome).not.toBe('unfinished');
      if (outcome === 'completed') expect(deliveredTokens).toBe(request.outputTokens);
      else expect(reason).toBeTruthy();
    }
    const completed = run.results.filter(({ outcome }) => outcome === 'completed').length;
    expect(completed / run.results.length).toBeGreaterThan(0.9);
  });
});
