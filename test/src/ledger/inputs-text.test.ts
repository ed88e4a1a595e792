import { describe, expect, it } from 'vitest';
import type { PolicyLevels } from '#schema/receipt';
import { decodePlan, encodePlan, type CompactPlan } from '#src/ledger/plan-text';
import { plan } from '#src/routing/plan';
import { inputOf, offerOf } from '../routing/fleet.ts';

const USUAL: PolicyLevels = { team: 'hipaa', key: null, request: null, requestedModels: 1 };

function textOf(asked?: PolicyLevels): string {
  return JSON.stringify(encodePlan(plan(inputOf([offerOf()], asked && { asked })).record()));
}

const levelsIn = (text: string) => decodePlan(JSON.parse(text) as CompactPlan).inputs?.asked;

describe('where a policy came from', () => {
  it('comes back from the text of a plan, with and without wishes', () => {
    const wished: PolicyLevels = {
      ...USUAL,
      key: 'ci',
      request: 'named',
      wishes: [{ only: ['alpha'], max_price: { prompt: 1 } }],
      requestedModels: 3,
    };
    expect(levelsIn(textOf(USUAL))).toEqual(USUAL);
    expect(levelsIn(textOf(wished))).toEqual(wished);
  });

  it('is absent in texts from before it was recorded, which read as they did', () => {
    const old = textOf();
    expect(old).not.toContain('asked');
    expect(decodePlan(JSON.parse(old) as CompactPlan).inputs).not.toHaveProperty('asked');
  });

  it('costs a usual request a few bytes', () => {
    expect(textOf(USUAL).length - textOf().length).toBeLessThan(50);
  });

  it('is left out where a caller wrote long wishes, but not what the plan is made again from', () => {
    const ignore = Array.from({ length: 150 }, (_, place) => `provider-${place}`);
    const { inputs } = decodePlan(JSON.parse(textOf({ ...USUAL, wishes: [{ ignore }] })) as CompactPlan);
    expect(inputs).not.toBeNull();
    expect(inputs).not.toHaveProperty('asked');
    expect(levelsIn(textOf({ ...USUAL, request: 'x'.repeat(3_000) }))).toBeUndefined();
  });
});
