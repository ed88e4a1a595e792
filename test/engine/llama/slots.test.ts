import { describe, expect, it } from 'vitest';
import { createSlots } from '#engine/llama/slots';

const present = (): AbortSignal => new AbortController().signal;

describe('slots', () => {
  it('gives each slot to one request, and none when all are taken', async () => {
    const slots = createSlots(2, 0);
    expect([await slots.take(present()), await slots.take(present()), await slots.take(present())]).toEqual([0, 1, null]);
    expect(slots.counts()).toEqual({ running: 2, waiting: 0 });
  });

  it('hands a slot that is given back to who has waited longest', async () => {
    const slots = createSlots(1, 2);
    await slots.take(present());
    const order: string[] = [];
    const first = slots.take(present()).then((slot) => order.push(`first ${slot}`));
    const second = slots.take(present()).then((slot) => order.push(`second ${slot}`));
    expect(slots.counts()).toEqual({ running: 1, waiting: 2 });
    slots.release(0);
    await first;
    slots.release(0);
    await second;
    expect(order).toEqual(['first 0', 'second 0']);
  });

  it('refuses who comes when the queue is full', async () => {
    const slots = createSlots(1, 1);
    await slots.take(present());
    void slots.take(present());
    expect(await slots.take(present())).toBeNull();
  });

  it('forgets who leaves the queue', async () => {
    const slots = createSlots(1, 1);
    await slots.take(present());
    const client = new AbortController();
    const waiting = slots.take(client.signal);
    client.abort();
    expect(await waiting).toBeNull();
    slots.release(0);
    expect(slots.counts()).toEqual({ running: 0, waiting: 0 });
    expect(await slots.take(present())).toBe(0);
  });
});
