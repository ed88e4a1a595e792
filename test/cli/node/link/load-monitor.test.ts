import { describe, expect, it } from 'vitest';
import { watchLoad, type EngineReading } from '#cli/node/link/load-monitor';
import { LOAD_INTERVAL_MS } from '#schema/node-link';
import type { NodeLoad } from '#schema/node-service';
import { createManualClock } from '#test/support/manual-clock';

const IDLE: NodeLoad = { running: 0, waiting: 0, kvUsage: null };

function watch(first: EngineReading = { load: null }, maxSequences: number | null = 4) {
  const clock = createManualClock();
  const state = { reading: first, streams: 0, looks: 0 };
  const told: (NodeLoad | null)[] = [];
  const engine: boolean[] = [];
  const monitor = watchLoad({
    read: async () => (state.looks++, state.reading),
    ownStreams: () => state.streams,
    maxSequences,
    timers: clock.timers,
    tell: (load) => void told.push(load),
    onEngine: (isThere) => void engine.push(isThere),
  });
  return { clock, state, told, engine, monitor };
}

describe('the load of a node', () => {
  it('is told every five seconds while it works, and once when it turns idle', async () => {
    const { clock, state, told } = watch({ load: { running: 3, waiting: 0, kvUsage: 0.2 } });
    await clock.pass(LOAD_INTERVAL_MS * 2);
    expect(told).toHaveLength(3);
    state.reading = { load: { ...IDLE, kvUsage: 0 } };
    await clock.pass(LOAD_INTERVAL_MS * 4);
    expect(told).toHaveLength(4);
    expect(told.at(-1)).toEqual({ ...IDLE, kvUsage: 0 });
  });

  it('is told soon when it changes much, but no more than twice a second', async () => {
    const { clock, state, told, monitor } = watch();
    await clock.pass(0);
    told.length = 0;
    for (let request = 0; request < 100; request++) {
      state.streams++;
      monitor.changed();
    }
    await clock.pass(500);
    expect(told).toEqual([{ running: 4, waiting: 96, kvUsage: null }]);
    expect(state.looks).toBe(2);
  });

  it('is what the node counts itself where the engine says nothing: what fits runs, the rest waits', async () => {
    const { clock, state, monitor } = watch({ load: null }, 4);
    state.streams = 6;
    await clock.pass(LOAD_INTERVAL_MS);
    expect(monitor.load()).toEqual({ running: 4, waiting: 2, kvUsage: null });
  });

  it('tells who of ours waits where the engine counts what runs but not what waits', async () => {
    const { clock, state, monitor } = watch({ load: { running: 4, waiting: null, kvUsage: 0.5 } }, 4);
    state.streams = 6;
    await clock.pass(LOAD_INTERVAL_MS);
    expect(monitor.load()).toEqual({ running: 4, waiting: 2, kvUsage: 0.5 });
  });

  it('stays what it was while the engine is only late, and never falls below what the node counts', async () => {
    const { clock, state, monitor, engine } = watch({ load: { running: 1, waiting: 0, kvUsage: 0.5 } });
    await clock.pass(0);
    Object.assign(state, { reading: 'busy', streams: 3 });
    await clock.pass(LOAD_INTERVAL_MS);
    expect(monitor.load()).toEqual({ running: 3, waiting: 0, kvUsage: 0.5 });
    expect(engine).toEqual([]);
  });

  it('is unknown while the engine is gone, which is noticed at once and looked for every second', async () => {
    const { clock, state, told, engine, monitor } = watch({ load: IDLE });
    await clock.pass(0);
    state.reading = 'gone';
    monitor.lookSoon();
    await clock.pass(500);
    expect([told.at(-1), engine, monitor.load()]).toEqual([null, [false], null]);
    const looks = state.looks;
    await clock.pass(3_000);
    expect(state.looks).toBe(looks + 3);
    state.reading = { load: IDLE };
    await clock.pass(1_000);
    expect([told.at(-1), engine]).toEqual([IDLE, [false, true]]);
  });

  it('is told again to a router that has just let the node in', async () => {
    const { clock, told, monitor } = watch({ load: IDLE });
    await clock.pass(LOAD_INTERVAL_MS);
    told.length = 0;
    monitor.tellAgain();
    expect(told).toEqual([IDLE]);
  });

  it('is watched no longer after the stop', async () => {
    const { clock, monitor } = watch();
    monitor.stop();
    await clock.pass(60_000);
    expect(clock.pending()).toBe(0);
  });
});
