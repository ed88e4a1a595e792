import { describe, expect, it } from 'vitest';
import { createClock, type Clock } from '#bench/sim/clock';
import { chanceOf, exponential } from '#bench/sim/world/chance';
import { createSlots, type Ticket } from '#bench/sim/world/slots';

function ticket(start: (load: number) => void = () => {}): Ticket {
  return { state: 'outside', start };
}

/** Mean wait of Poisson arrivals with exponential service. */
function measureWaitMs(clock: Clock, shape: { slots: number; arrivalMs: number; serviceMs: number; count: number }): number {
  const random = chanceOf(7, 'queue');
  const slots = createSlots({ slots: shape.slots, queueMax: Infinity }, clock.now);
  let waitedMs = 0;
  let atMs = 0;
  for (let place = 0; place < shape.count; place++) {
    atMs += exponential(random, shape.arrivalMs);
    const serviceMs = exponential(random, shape.serviceMs);
    clock.at(atMs, () => {
      const arrivedAtMs = clock.now();
      const own = ticket(() => {
        waitedMs += clock.now() - arrivedAtMs;
        clock.after(serviceMs, () => slots.leave(own));
      });
      slots.enter(own);
    });
  }
  while (clock.step());
  return waitedMs / shape.count;
}

/** Mean wait in line of an M/M/c queue (Erlang C). */
function erlangWaitMs({ slots, arrivalMs, serviceMs }: { slots: number; arrivalMs: number; serviceMs: number }): number {
  const offered = serviceMs / arrivalMs;
  let term = 1;
  let sum = 1;
  for (let busy = 1; busy < slots; busy++) sum += term *= offered / busy;
  const last = ((term * offered) / slots) * (slots / (slots - offered));
  return ((last / (sum + last)) * serviceMs) / (slots - offered);
}

describe('slots', () => {
  it.each([
    { slots: 1, arrivalMs: 100, serviceMs: 60 },
    { slots: 4, arrivalMs: 100, serviceMs: 320 },
    { slots: 12, arrivalMs: 100, serviceMs: 960 },
  ])('makes requests wait as long as an M/M/$slots queue does', (shape) => {
    const measuredMs = measureWaitMs(createClock(), { ...shape, count: 60_000 });
    const expectedMs = erlangWaitMs(shape);
    expect(Math.abs(measuredMs / expectedMs - 1)).toBeLessThan(0.1);
  });

  it('runs so many at once, lets so many wait in turn, and refuses the rest', () => {
    const slots = createSlots({ slots: 2, queueMax: 1 }, () => 0);
    const loads: number[] = [];
    const [first, second, third, fourth] = [0, 0, 0, 0].map(() => ticket((load) => loads.push(load))) as [Ticket, Ticket, Ticket, Ticket];
    expect([first, second, third, fourth].map((one) => slots.enter(one))).toEqual([true, true, true, false]);
    expect(loads).toEqual([0.5, 1]);
    slots.leave(first);
    expect([first.state, third.state]).toEqual(['left', 'running']);
  });

  it('forgets who leaves the line, and leaving twice frees one slot', () => {
    const slots = createSlots({ slots: 1, queueMax: 2 }, () => 0);
    const [running, impatient, patient] = [ticket(), ticket(), ticket()];
    for (const one of [running, impatient, patient]) slots.enter(one);
    slots.leave(impatient);
    slots.leave(running);
    slots.leave(running);
    expect([impatient.state, patient.state]).toEqual(['left', 'running']);
    expect(slots.enter(ticket())).toBe(true);
  });

  it('lets in only what the KV cache holds, in turn, and tells its load', () => {
    const slots = createSlots({ slots: 4, queueMax: 4, poolTokens: 1_000 }, () => 0);
    const sized = (tokens: number): Ticket => ({ ...ticket(), tokens });
    const [large, larger, small] = [sized(700), sized(600), sized(200)];
    for (const one of [large, larger, small]) slots.enter(one);
    // The small one would fit, but nobody overtakes.
    expect([large.state, larger.state, small.state]).toEqual(['running', 'waiting', 'waiting']);
    expect(slots.load()).toEqual({ running: 1, waiting: 2, kvUsage: 0.7 });
    slots.leave(large);
    expect([larger.state, small.state]).toEqual(['running', 'running']);
    expect(slots.load()).toEqual({ running: 2, waiting: 0, kvUsage: 0.8 });
    expect(createSlots({ slots: 1, queueMax: 0 }, () => 0).load()).toEqual({ running: 0, waiting: 0, kvUsage: null });
  });

  it('counts the time that slots were used', () => {
    const clock = createClock();
    const slots = createSlots({ slots: 2, queueMax: 0 }, clock.now);
    const own = ticket();
    clock.at(10, () => void slots.enter(own));
    clock.at(20, () => void slots.enter(ticket()));
    clock.at(50, () => slots.leave(own));
    clock.at(70, () => {});
    while (clock.step());
    expect(slots.busyMs()).toBe(40 + 50);
  });
});
