import { describe, expect, it } from 'vitest';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';

/** Sends hedges of this waste until the budget refuses, at most `limit`. */
function spend(budget: ReturnType<typeof createHedgeBudget>, wasteNanoUsd: number, limit = 1000): number {
  let sent = 0;
  for (; sent < limit && budget.covers(wasteNanoUsd); sent++) budget.withdraw(wasteNanoUsd);
  return sent;
}

/** Notes so many requests of this cost. */
function deposit(budget: ReturnType<typeof createHedgeBudget>, requests: number, costNanoUsd: number): void {
  for (let request = 0; request < requests; request++) budget.deposit(costNanoUsd);
}

describe('R3: the budget of hedges', () => {
  it('starts with ten hedges', () => {
    expect(spend(createHedgeBudget(), 0)).toBe(10);
  });

  it('earns three hedges in a hundred requests', () => {
    const budget = createHedgeBudget();
    spend(budget, 0);
    let sent = 0;
    for (let request = 0; request < 1000; request++) {
      budget.deposit(1000);
      sent += spend(budget, 0);
    }
    expect(sent).toBeGreaterThanOrEqual(29);
    expect(sent).toBeLessThanOrEqual(30);
  });

  it('never saves up more than ten', () => {
    const budget = createHedgeBudget();
    deposit(budget, 10_000, 1000);
    expect(spend(budget, 0)).toBe(10);
  });

  it('spends at most three hundredths of what requests cost, however many hedges that is', () => {
    const budget = createHedgeBudget();
    budget.deposit(1000);
    spend(budget, 5000);
    let wastedNanoUsd = 0;
    for (let request = 0; request < 10_000; request++) {
      budget.deposit(1000);
      if (!budget.covers(5000)) continue;
      budget.withdraw(5000);
      wastedNanoUsd += 5000;
    }
    expect(wastedNanoUsd / 10_000_000).toBeCloseTo(0.03, 2);
  });

  it('saves up the cost of fifty typical requests and no more', () => {
    const budget = createHedgeBudget();
    deposit(budget, 10_000, 1000);
    expect(budget.covers(49_999)).toBe(true);
    expect(budget.covers(50_001)).toBe(false);
  });

  it('is not filled by one giant among small requests', () => {
    const budget = createHedgeBudget();
    deposit(budget, 1000, 1000);
    budget.deposit(1e12);
    budget.deposit(1000);
    expect(budget.covers(200_000)).toBe(false);
  });

  it.each([0, -5, Number.NaN])('a request that costs %d earns its share of a hedge and no money', (costNanoUsd) => {
    const budget = createHedgeBudget();
    deposit(budget, 100, costNanoUsd);
    expect(budget.covers(0)).toBe(true);
    expect(budget.covers(1)).toBe(false);
  });
});
