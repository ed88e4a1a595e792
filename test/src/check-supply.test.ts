import { describe, expect, it } from 'vitest';
import type { Manifest } from '#schema/manifest';
import { warnOfSupply } from '#src/check-supply';
import { parseManifest } from '#src/manifest/parse';
import { compileManifest } from '#src/manifest/compile';
import { cards, catalogue } from './manifest/fixture.ts';

function warn(text: string, secrets: readonly string[] = []): string[] {
  const result = parseManifest(`version: 1\n${text}`, {
    providers: new Map([...cards.values()].map((card) => [card.id, { supply: card.supply, hasBaseUrl: card.baseUrl !== null }])),
    models: new Set(['qwen/qwen3-8b']),
    allowedHosts: ['127.0.0.1'],
    allowValues: false,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  const manifest: Manifest = result.manifest;
  const rows = compileManifest({ manifest, cards, catalogue, clientKeys: new Map() });
  return warnOfSupply({
    manifest,
    rows,
    nowMs: Date.parse('2027-01-31'),
    allowedHosts: ['127.0.0.1'],
    hasSecret: (name) => secrets.includes(name),
  });
}

const RIG =
  'endpoints: [{ id: rig, owner: lab, model: my/own, url: http://127.0.0.1:1/v1, context: 4096, price: { prompt: 1, completion: 1 } }]';
const ACME = 'providers: [{ id: acme, key: { secret: ACME } }]';

describe('the supply that policies leave', () => {
  it('names the hard filter that rejects most, and an example of what it says', () => {
    expect(warn(`${ACME}\npolicies: { eu: { privacy: { jurisdictions: [DE] } } }\nteams: [{ id: lab, policy: eu }]`)).toEqual([
      'policy eu leaves team lab no endpoint for its model; for qwen/qwen3-8b: H2 jurisdiction (1 of 1 endpoints; acme:qwen/qwen3-8b: runs in US; allowed: DE)',
    ]);
  });

  it('is checked for everybody who holds a policy: teams, keys with words of their own, and requests that may name it', () => {
    const text = `${ACME}
policies: { dear: { max_price: { prompt: 0.001 } } }
teams: [{ id: lab, keys: [{ name: ci, secret: CI, policy: dear }, { name: any, secret: ANY }] }]`;
    expect(warn(text)).toEqual([expect.stringMatching(/^policy dear leaves key lab\/ci no endpoint for its model; .*H6 price/)]);
    expect(warn(text.replace('policy: dear', 'models: ["*"]'))).toEqual([
      expect.stringMatching(/^policy dear leaves requests that name it no endpoint/),
    ]);
  });

  it('knows that a team’s own endpoint is attested to it, and no other team’s at all', () => {
    const text = `${RIG}\npolicies: { p: { privacy: { min_tier: attested } } }\nteams: [{ id: lab, policy: p }, { id: other, policy: p }]`;
    expect(warn(text)).toEqual([]);
  });

  it('names wishes of several levels that contradict each other', () => {
    const text = `${ACME}
defaults: { policy: de }
policies: { de: { privacy: { jurisdictions: [DE] } }, us: { privacy: { jurisdictions: [US] } } }
teams: [{ id: lab, policy: us }]`;
    expect(warn(text)).toEqual(['team lab: nothing can satisfy `privacy.jurisdictions` of the policies in force together: de, us']);
  });

  it('counts what the deployment means to call: its own endpoints, providers that it names or has a key for', () => {
    expect(warn('teams: [{ id: lab }]')).toEqual([expect.stringMatching(/^nothing can be called/)]);
    expect(warn('teams: [{ id: lab }]', ['ACME_API_KEY'])).toEqual([]);
    const eu = 'policies: { eu: { privacy: { jurisdictions: [DE] } } }\nteams: [{ id: lab, policy: eu }]';
    expect(warn(eu, ['ACME_API_KEY'])).toHaveLength(1);
  });

  it('says only the first of very many', () => {
    const teams = Array.from({ length: 150 }, (_, index) => `{ id: t${index}, policy: eu }`).join(', ');
    const warnings = warn(`${ACME}\npolicies: { eu: { privacy: { jurisdictions: [DE] } } }\nteams: [${teams}]`);
    expect(warnings).toHaveLength(31);
    expect(warnings.at(-1)).toBe('120 further warnings of this kind');
  });
});
