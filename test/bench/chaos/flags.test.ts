import { expect, test } from 'vitest';
import { HELP, parseFlags } from '#bench/chaos/flags';

test('without flags a run takes three minutes at ten requests a second', () => {
  expect(parseFlags([])).toEqual({ durationMs: 180_000, rate: 10, seed: 1, json: false, help: false });
});

test('--quick takes forty seconds, --minutes as long as it says', () => {
  expect(parseFlags(['--quick']).durationMs).toBe(40_000);
  expect(parseFlags(['--minutes', '0.5', '--rate', '25', '--seed', '7', '--json'])).toMatchObject({
    durationMs: 30_000,
    rate: 25,
    seed: 7,
    json: true,
  });
});

test.each([
  { argv: ['--minutes', '0'], message: '--minutes must be a number from 0.5 to 120, got "0"' },
  { argv: ['--minutes', ''], message: '--minutes must be' },
  { argv: ['--rate', 'many'], message: '--rate must be a number from 1 to 100' },
  { argv: ['--seed', '1.5'], message: '--seed must be a whole number' },
  { argv: ['--quick', '--minutes', '2'], message: 'exclude each other' },
  { argv: ['--faults'], message: "Unknown option '--faults'" },
  { argv: ['now'], message: "Unexpected argument 'now'" },
])('$argv is refused in words that say what is allowed', ({ argv, message }) => {
  expect(() => parseFlags(argv)).toThrow(message);
});

test('the help names every flag', () => {
  for (const flag of ['--quick', '--minutes', '--rate', '--seed', '--json', '--help']) expect(HELP).toContain(flag);
});
