import { describe, expect, it } from 'vitest';
import { readJoined } from '#cli/node/router';

const URL = 'https://router.example.com';
const price = { prompt: 0.5, completion: 0.6, request: 0 };
const held = { price: { ...price, prompt: 5 }, reason: 'it rose', asked_at: '2026-11-22T10:00:00.000Z', state: 'held' };

describe('the answer to a join', () => {
  it('names the endpoints, and of those their prices that are not charged as asked', () => {
    const endpoints = [
      { id: 'rig', price, held_price: held },
      { id: 'rig:b', price, held_price: null },
      { id: 'retired', price, held_price: held },
    ];
    expect(readJoined(URL, { endpoints: ['rig', 'rig:b'], data: { endpoints } })).toMatchObject({
      endpoints: ['rig', 'rig:b'],
      heldPrices: [{ endpoint: 'rig', charged: { prompt: 0.5 }, held: { price: { prompt: 5 }, reason: 'it rose', state: 'held' } }],
    });
  });

  it.each([
    ['without a description', {}],
    ['of a router that knows no held prices', { data: { endpoints: [{ id: 'rig', price }] } }],
  ])('%s is one all the same', (_which, more) => {
    expect(readJoined(URL, { endpoints: ['rig'], ...more })).toEqual({ endpoints: ['rig'], heldPrices: [] });
  });

  it('that no router gives is refused', () =>
    expect(() => readJoined(URL, { hello: 'world' })).toThrow('does not answer like a Headrace router'));
});
