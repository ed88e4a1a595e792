import { describe, expect, it } from 'vitest';
import { manifest as contract } from '#schema/manifest';
import { matchesGlob } from '#src/admission/caller';
import { warnOf } from '#src/manifest/warn';

const NOW_MS = Date.parse('2027-01-31T00:00:00Z');
const around = { providers: new Map([['acme', { supply: 'centralized', hasBaseUrl: true }]] as const), models: new Set(['qwen/qwen3-8b']) };

function warn(fields: object, secrets: readonly string[] = []): string[] {
  const manifest = contract.parse({ version: 1, ...fields });
  return warnOf({ manifest, around, nowMs: NOW_MS, hasSecret: (name) => secrets.includes(name), matchesGlob });
}
const key = (fields: object): object => ({ teams: [{ id: 't', keys: [{ name: 'ci', secret: 'CI', ...fields }] }] });

describe('a warning', () => {
  it.each<[what: string, fields: object, warning: RegExp]>([
    [
      'a secret that is not set, with who needs it',
      { providers: [{ id: 'acme', key: { secret: 'ACME' } }] },
      /^secret ACME is not set here: provider acme cannot/,
    ],
    ['an alias that no request reaches', { aliases: { 'mine:free': 'qwen/qwen3-8b' } }, /^alias mine:free is never reached/],
    [
      'an endpoint without price',
      { endpoints: [{ id: 'rig', model: 'qwen/qwen3-8b', link: 'tunnel' }] },
      /allow_unpriced.* use endpoint rig$/,
    ],
    ['a name that only other routers know', { policies: { p: { ignore: ['azure'] } } }, /^policy p: `ignore` names azure/],
    [
      'fallbacks that are no models',
      { policies: { p: { models: { fallbacks: { 'qwen/qwen3-8b': ['gone/model'] } } } } },
      /^policy p: `models.fallbacks` names gone\/model/,
    ],
    ['a glob that matches nothing', key({ models: ['qwen/*', 'gone/*'] }), /^key ci of team t: `models` names gone\/\*/],
    ['a key that has expired', key({ expires: '2027-01-31' }), /^key ci of team t has expired \(2027-01-31\)/],
  ])('is given for %s', (_what, fields, warning) => {
    expect(warn(fields)).toEqual([expect.stringMatching(warning)]);
  });

  it('is not given for what is as it should be', () => {
    const fields = {
      providers: [{ id: 'acme', key: { secret: 'ACME' } }],
      aliases: { mine: 'qwen/qwen3-8b' },
      policies: { p: { only: ['acme', 'acme/fp8', 'acme:qwen/qwen3-8b'], models: { fallbacks: { mine: ['qwen/qwen3-8b'] } } } },
      ...key({ models: ['qwen/*'], expires: '2027-02-01' }),
    };
    expect(warn(fields, ['ACME'])).toEqual([]);
  });

  it('names a handful of many', () => {
    const endpoints = Array.from({ length: 9 }, (_, index) => ({ id: `e${index}`, model: 'qwen/qwen3-8b', link: 'tunnel' }));
    expect(warn({ endpoints })).toEqual([expect.stringMatching(/e0, e1, e2, e3, e4 and 4 more$/)]);
  });
});
