import { describe, expect, it } from 'vitest';
import { watchEngine, type EngineSight } from '#cli/node/link/engine-watch';
import { createManualClock } from '#test/support/manual-clock';

function watch() {
  const clock = createManualClock();
  const state = { sight: { found: 'vllm' } as EngineSight<string>, looks: 0 };
  const seen: EngineSight<string>[] = [];
  const watching = watchEngine<string>({
    look: async () => (state.looks++, state.sight),
    onSight: (sight) => void seen.push(sight),
    timers: clock.timers,
  });
  return { clock, state, seen, watching };
}

describe('the watch over an engine', () => {
  it('looks often enough that a model that is gone is no candidate within a minute', async () => {
    const { clock, seen } = watch();
    await clock.pass(60_000);
    expect(seen.length).toBeGreaterThanOrEqual(2);
  });

  it('looks within a second or two when requests fail in a way that says so, once for all of them', async () => {
    const { clock, state, watching } = watch();
    for (let failure = 0; failure < 50; failure++) watching.lookSoon();
    await clock.pass(2_000);
    expect(state.looks).toBe(1);
  });

  it('says that the engine is gone once it has been for a moment, and looks at once when it is back', async () => {
    const { clock, seen, watching } = watch();
    watching.noteThere(false);
    await clock.pass(2_900);
    expect(seen).toEqual([]);
    await clock.pass(200);
    expect(seen).toEqual([{ trouble: 'its engine does not answer' }]);
    watching.noteThere(true);
    await clock.pass(1_100);
    expect(seen.at(-1)).toEqual({ found: 'vllm' });
  });

  it('does not miss an engine that is back before anybody noticed', async () => {
    const { clock, seen, watching } = watch();
    watching.noteThere(false);
    await clock.pass(1_000);
    watching.noteThere(true);
    await clock.pass(5_000);
    expect(seen).toEqual([{ found: 'vllm' }]);
  });

  it('decides nothing by half an answer, and nothing once it has been stopped', async () => {
    const { clock, state, seen, watching } = watch();
    state.sight = null;
    await clock.pass(60_000);
    expect(seen).toEqual([]);
    state.sight = { found: 'vllm' };
    watching.noteThere(false);
    watching.stop();
    await clock.pass(60_000);
    expect(seen).toEqual([]);
  });
});
