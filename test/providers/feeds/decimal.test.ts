import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_MAX, toInteger } from '#providers/feeds/decimal';

const amountOf = (value: unknown, power: number): unknown => {
  const read = toInteger(value, power);
  return read.kind === 'amount' ? read.amount : read;
};

describe('exact decimals', () => {
  it.each([
    ['0.0000001', 12, 100_000],
    [0.0000001, 12, 100_000],
    ['1e-7', 12, 100_000],
    ['1.5E-7', 12, 150_000],
    ['+.15', 6, 150_000],
    ['15.', 6, 15_000_000],
    [0.1 + 0.2, 12, 300_000_000_000],
    ['0.037', 6, 37_000],
    [4.35, 6, 4_350_000],
    ['1.0000005', 6, 1_000_001],
    ['1.00000049999', 6, 1_000_000],
    [20_000, 2, 2_000_000],
    ['-0', 6, 0],
    [' 0.5 ', 6, 500_000],
  ])('%s × 10^%i is %i, whatever floats would make of it', (value, power, amount) => {
    expect(amountOf(value, power)).toBe(amount);
  });

  it.each([undefined, null, ''])('%s is no price at all', (value) => {
    expect(toInteger(value, 12)).toEqual({ kind: 'absent' });
  });

  it.each([
    ['-1', 'is negative'],
    [-0.000001, 'is negative'],
    ['NaN', 'is no number'],
    [Number.NaN, 'is no number'],
    [Number.POSITIVE_INFINITY, 'is no number'],
    ['free', 'is no number'],
    ['$1', 'is no number'],
    ['1,5', 'is no number'],
    ['0x10', 'is no number'],
    ['.', 'is no number'],
    [{}, 'is no number'],
    [['1'], 'is no number'],
    [true, 'is no number'],
    ['1e-30', 'is less than can be charged'],
    ['1e-999', 'is less than can be charged'],
    ['1e300', 'is beyond every price'],
    ['1e10', 'is beyond every price'],
  ])('%s is refused: it %s', (value, why) => {
    expect(toInteger(value, 6)).toEqual({ kind: 'refused', why });
  });

  it('gives back every integer that is written as a decimal, with any number of zeros and any exponent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: AMOUNT_MAX }), fc.integer({ min: 0, max: 15 }), (amount, places) => {
        const digits = String(amount).padStart(places + 1, '0');
        const cut = digits.length - places;
        const text = `${digits.slice(0, cut)}.${digits.slice(cut)}000`;
        expect(amountOf(text, places)).toBe(amount);
        expect(amountOf(`${amount}e-${places}`, places)).toBe(amount);
      }),
    );
  });
});
