import { describe, expect, it } from 'vitest';
import { parseFlags } from '#bench/replay/flags';
import { makeTraffic, type TrafficWorld } from '#bench/replay/traffic';
import { entryOf, offerOf, pricedAt } from '../../src/routing/fleet.ts';

describe('flags of bench:replay', () => {
  it('ask for 100,000 requests, 5,000 quickly, or as many as are named', () => {
    expect(parseFlags([])).toEqual({ requests: 100_000, seed: 1, json: false, help: false });
    expect(parseFlags(['--quick', '--json'])).toMatchObject({ requests: 5_000, json: true });
    expect(parseFlags(['--requests', '200', '--seed', '7'])).toMatchObject({ requests: 200, seed: 7 });
  });

  it('are refused in one line where they make no sense', () => {
    for (const argv of [['--requests', '0'], ['--requests', '1e9'], ['--quick', '--requests', '500'], ['--seed', '-1'], ['--fast']])
      expect(() => parseFlags(argv), argv.join(' ')).toThrow();
  });
});

describe('simulated traffic', () => {
  const entry = entryOf([offerOf({ endpointId: 'a' }), offerOf({ endpointId: 'b', price: pricedAt(150_000) })]);
  const world: TrafficWorld = {
    snapshot: { version: 'v1', takenAtMs: 0, models: new Map([['lab/model', entry]]), aliases: new Map(), providers: new Map() },
    isCallable: () => true,
    book: { policies: new Map(), defaultName: null },
    teams: [{ id: 'demo', policy: null }],
  };
  const make = (seed: number) => [...makeTraffic(world, { requests: 200, seed, fromMs: 1_000, untilMs: 2_000 })];

  it('is the same for the same seed, in order of time, and says that nobody served it', () => {
    const receipts = make(1);
    expect(receipts).toEqual(make(1));
    expect(receipts).not.toEqual(make(2));
    const instants = receipts.map(({ createdAtMs }) => createdAtMs);
    expect(instants).toEqual(instants.toSorted((one, other) => one - other));
    expect(new Set(receipts.map(({ upstreamId }) => upstreamId))).toEqual(new Set(['simulated']));
    // Now and then a prompt is longer than every context.
    const served = receipts.filter(({ endpointId }) => endpointId !== null);
    expect(served.length).toBeGreaterThan(190);
    expect(new Set(served.map(({ endpointId }) => endpointId))).toEqual(new Set(['a', 'b']));
  });
});
