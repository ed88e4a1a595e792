import { describe, expect, test } from 'vitest';
import { runCell, type CellOrder, type CellResult } from '#bench/sim/cell';
import { runCells } from '#bench/sim/pool';
import type { Supply } from '#bench/sim/supply';

const SUPPLY: Supply = {
  traffic: { kind: 'generated', workload: 'azure-conv', count: 120, minutesMax: Infinity, speed: 1 },
  replay: null,
};

function orderOf(policy: string, seed: number): CellOrder {
  return { policy, scenario: 'outage-fast', seed, isolates: 2, syncMs: 2_000 };
}

/** Only the wall clock may differ. */
function withoutClock(result: CellResult): CellResult {
  return { ...result, wallMs: 0 };
}

describe('threads', () => {
  test('run several cells each, give what a single thread gives, in the order asked, and say what is left', async () => {
    const orders = [1, 2, 3].flatMap((seed) => [orderOf('random', seed), orderOf('openrouter-like', seed)]);
    const left: number[] = [];
    const results = await runCells(orders, SUPPLY, { threads: 2, onDone: (_, waiting) => left.push(waiting.length) });
    const alone = await Promise.all(orders.map((order) => runCell(order, SUPPLY)));
    expect(results.map(withoutClock)).toEqual(alone.map(withoutClock));
    expect(left).toEqual([5, 4, 3, 2, 1, 0]);
  });

  test('fail as a whole, naming the cell', async () => {
    const orders = [orderOf('random', 1), orderOf('nobody', 4)];
    await expect(runCells(orders, SUPPLY, { threads: 2, onDone: () => {} })).rejects.toThrow(
      /^nobody in outage-fast, seed 4: Error: no policy nobody/,
    );
  });
});

test('ours can be run as a cell, and brings the bound', async () => {
  const { bound, usdPerMTok, requests } = await runCell(orderOf('headrace', 1), SUPPLY);
  expect(requests).toBe(120);
  expect(bound?.usdPerMTok).toBeGreaterThan(0);
  expect(bound?.usdPerMTok).toBeLessThanOrEqual(usdPerMTok);
});
