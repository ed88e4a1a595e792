import { describe, expect, it } from 'vitest';
import { resolve } from './written-levels.ts';

describe('preferences come from the nearest level that states them', () => {
  it.each([
    ['request beats key', { key: { optimize: 'price' }, request: { optimize: 'throughput' } }, { optimize: 'throughput' }],
    [
      'key beats team beats deployment',
      { deployment: { resume: false }, team: { optimize: 'price', resume: true }, key: { optimize: 'latency' } },
      { optimize: 'latency', resume: true, hedge: true },
    ],
    [
      'a named policy beats the key',
      { key: { optimize: 'price' }, named: { optimize: 'latency' } },
      { optimize: 'latency', name: 'named' },
    ],
    ['the request beats the policy it names', { named: { order: ['a'] }, request: { order: ['b'] } }, { order: ['b'] }],
    ['hedge may be turned off under latency', { request: { optimize: 'latency', hedge: false } }, { hedge: false }],
    ['sort object', { request: { sort: { by: 'latency', partition: 'none' } } }, { sort: 'latency', sortAcrossModels: true }],
    ['models mixed without a sort', { request: { sort: { partition: 'none' } } }, { sort: null, sortAcrossModels: true }],
    ['an empty sort object says nothing', { team: { sort: 'price' }, request: { sort: {} } }, { sort: 'price', sortAcrossModels: false }],
    [
      'a nearer optimize ends a sort further out',
      { team: { sort: 'price' }, request: { optimize: 'latency' } },
      { sort: null, optimize: 'latency' },
    ],
    [
      'a nearer sort stands beside optimize',
      { team: { optimize: 'latency' }, request: { sort: 'price' } },
      { sort: 'price', optimize: 'latency' },
    ],
    [
      'a number is p50',
      { request: { preferred_max_latency: 2, preferred_min_throughput: { p90: 40 } } },
      { preferredMaxLatencyS: { p50: 2 }, preferredMinThroughput: { p90: 40 } },
    ],
    ['attempts', { team: { attempts: { max: 2 } }, key: { attempts: { deadline_ms: 5000 } } }, { maxAttempts: 2, deadlineMs: 5000 }],
    [':floor', { suffix: 'floor', request: { sort: 'latency' } }, { sort: 'price' }],
    [':nitro', { suffix: 'nitro' }, { sort: 'throughput' }],
    [':exacto', { suffix: 'exacto' }, { sort: 'exacto' }],
    [':attested', { suffix: 'attested', request: { privacy: { min_tier: 'no_training' } } }, { minTier: 'attested' }],
    [':selfhosted', { suffix: 'selfhosted' }, { supplyOnly: ['selfhosted'] }],
  ])('%s', (_, levels, expected) => {
    expect(resolve(levels)).toMatchObject(expected);
  });
});
