import { describe, expect, test } from 'vitest';
import { helpText, parseFlags } from '#bench/sim/flags';
import { DEFAULT_POLICY_NAMES, OURS, POLICY_NAMES, YARDSTICK } from '#bench/sim/policies';
import { SCENARIO_NAMES } from '#bench/sim/scenario-names';

const FILES = ['--uptime', 'u', '--endpoints', 'e', '--prices', 'p'];

describe('simulator flags', () => {
  test('run every scenario under three seeds, ours and every rival, by default', () => {
    expect(parseFlags([])).toMatchObject({
      scenarios: SCENARIO_NAMES,
      policies: DEFAULT_POLICY_NAMES,
      seeds: [1, 2, 3],
      isolates: 8,
      syncMs: 2_000,
      workload: 'azure-conv',
      requests: 5_000,
      minutes: Infinity,
      rate: 1,
      json: false,
      plot: null,
    });
    expect(DEFAULT_POLICY_NAMES).toEqual(expect.arrayContaining([OURS, YARDSTICK]));
  });

  test.each([
    [
      ['--seeds', '2'],
      [1, 2],
    ],
    [
      ['--seeds', '11,12, 13'],
      [11, 12, 13],
    ],
    [['--seeds', '7,'], [7]],
    [['--seeds', '5,5'], [5]],
    [['--quick'], [1]],
    [
      ['--quick', '--seeds', '4'],
      [1, 2, 3, 4],
    ],
  ])('%j gives seeds %j', (argv, seeds) => {
    expect(parseFlags(argv).seeds).toEqual(seeds);
  });

  test('minutes lift the usual limit of requests, and both can be given', () => {
    expect(parseFlags(['--minutes', '5'])).toMatchObject({ minutes: 5, requests: Infinity });
    expect(parseFlags(['--minutes', '5', '--requests', '900'])).toMatchObject({ minutes: 5, requests: 900 });
    expect(parseFlags(['--limit', '900'])).toMatchObject({ minutes: Infinity, requests: 900 });
  });

  test('lists of names may mix groups and names, without repeating any', () => {
    expect(parseFlags(['--policy', 'random,default']).policies).toHaveLength(DEFAULT_POLICY_NAMES.length);
    expect(parseFlags(['--policy', 'all']).policies).toEqual(POLICY_NAMES);
    expect(parseFlags(['--scenario', 'calm, herd']).scenarios).toEqual(['calm', 'herd']);
  });

  test('real endpoints are replayed as they were unless scenarios are asked for', () => {
    expect(parseFlags(FILES)).toMatchObject({ scenarios: ['replay'], replay: { uptime: 'u', endpoints: 'e', prices: 'p' }, model: null });
    expect(parseFlags([...FILES, '--scenario', 'outage-hang', '--model', 'lab/model'])).toMatchObject({
      scenarios: ['outage-hang'],
      model: 'lab/model',
    });
  });

  test.each([
    [['--plot'], 'simulation.svg'],
    [['--plot', '--json'], 'simulation.svg'],
    [['--plot', 'here.svg'], 'here.svg'],
    [['--plot=there.svg'], 'there.svg'],
  ])('%j draws to %s', (argv, file) => {
    expect(parseFlags(argv).plot).toBe(file);
  });

  test.each([
    [['--scenario', 'storm'], `--scenario must be among ${SCENARIO_NAMES.join(', ')}, all; got "storm"`],
    [['--scenario', 'replay'], `--scenario must be among ${SCENARIO_NAMES.join(', ')}, all; got "replay"`],
    [['--policy', 'best'], `--policy must be among ${POLICY_NAMES.join(', ')}, default, all; got "best"`],
    [
      ['--workload', 'none'],
      '--workload must be one of azure-conv, azure-code, mooncake-chat, bursty-clients, gamma-1, gamma-4, gamma-10; got "none"',
    ],
    [['--seeds', '1,two'], '--seeds must be a number of seeds, or whole numbers separated by commas; got "1,two"'],
    [['--seeds', '0'], '--seeds must be a whole number from 1 to 1000, got "0"'],
    [['--isolates', '0'], '--isolates must be a whole number from 1 to 512, got "0"'],
    [['--isolates', '2.5'], '--isolates must be a whole number from 1 to 512, got "2.5"'],
    [['--sync-ms', 'soon'], '--sync-ms must be a number from 10 to 600000, got "soon"'],
    [['--rate', '0'], '--rate must be a number from 0.001 to 1000, got "0"'],
    [['--rate', ''], '--rate must be a number from 0.001 to 1000, got ""'],
    [['--requests', '10'], '--requests must be a whole number from 50 to 5000000, got "10"'],
    [['--uptime', 'u'], '--uptime, --endpoints and --prices go together: give all three files'],
    [['--model', 'lab/model'], '--model chooses among real endpoints: give --uptime, --endpoints and --prices, too'],
  ])('%j is refused in one line', (argv, message) => {
    expect(() => parseFlags(argv)).toThrow(new Error(message));
  });

  test.each([
    [['--fast'], "Unknown option '--fast'; --help lists all flags"],
    [['extra'], /^Unexpected argument 'extra'.*; --help lists all flags$/],
    [['--seeds'], /^Option '--seeds <value>' argument missing; --help lists all flags$/],
  ])('%j is refused', (argv, message) => {
    expect(() => parseFlags(argv)).toThrow(message);
  });

  test('the help names every policy and scenario', () => {
    for (const name of [...POLICY_NAMES, ...SCENARIO_NAMES]) expect(helpText()).toContain(name);
  });
});
