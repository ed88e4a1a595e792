import { describe, expect, test } from 'vitest';
import { parseFlags } from '#bench/flags';

describe('bench flags', () => {
  test('measure 1, 8 and 32 connections as a table by default', () => {
    expect(parseFlags([])).toMatchObject({ connections: [1, 8, 32], json: false, quick: false, help: false });
  });

  test('--quick shortens slices and rounds', () => {
    const [quick, usual] = [parseFlags(['--quick']), parseFlags([])];
    expect(quick.seconds).toBeLessThan(usual.seconds);
    expect(quick.rounds).toBeLessThan(usual.rounds);
  });

  test('--seconds wins over --quick', () => {
    expect(parseFlags(['--quick', '--seconds', '2.5']).seconds).toBe(2.5);
  });

  test('--connections is sorted and free of duplicates', () => {
    expect(parseFlags(['--connections', '32,1, 8,8']).connections).toEqual([1, 8, 32]);
  });

  test.each([
    [['--seconds', '0'], '--seconds must be a number from 0.2 to 60, got "0"'],
    [['--seconds', 'long'], '--seconds must be a number from 0.2 to 60, got "long"'],
    [['--seconds', ''], '--seconds must be a number from 0.2 to 60, got ""'],
    [['--connections', '0'], '--connections must be whole numbers from 1 to 256, separated by commas, got "0"'],
    [['--connections', '1,,8'], '--connections must be whole numbers from 1 to 256, separated by commas, got "1,,8"'],
    [['--connections', '1e3'], '--connections must be whole numbers from 1 to 256, separated by commas, got "1e3"'],
    [['--connections', '257'], '--connections must be whole numbers from 1 to 256, separated by commas, got "257"'],
  ])('%j is refused with its own text in one line', (argv, message) => {
    expect(() => parseFlags(argv)).toThrow(new Error(message));
  });

  test.each([[['--fast']], [['extra']], [['--seconds']]])('%j is refused', (argv) => {
    expect(() => parseFlags(argv)).toThrow();
  });
});
