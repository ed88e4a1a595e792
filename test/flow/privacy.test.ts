import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PRIVACY_TIERS, tierRank, type PrivacyTier } from '#schema/catalog';
import { readError } from '#test/support/answers';
import { openHouse, type EndpointSpec, type House } from '#test/support/house';
import { answer, chunk, openStream, sendJson } from '#test/support/openai-scripts';
import { seededRandom } from '#test/support/random-chunks';
import type { Script } from '#test/support/scripted-upstream';
import { SEED } from '#test/support/seed';

const RUNS = 150;
const FLEET_MODEL = 'fleet/mixed';

interface FleetEndpoint extends EndpointSpec {
  owner?: string;
  jurisdiction: string[];
  data_policy: { trains: boolean | null; retention_days: number | null; source: 'contract' | 'provider' | 'operator' };
}

const PLACES = [[], ['DE'], ['FR'], ['US'], ['DE', 'FR'], ['DE', 'US'], ['CN']];
const POLICIES = [
  { trains: null, retention_days: null },
  { trains: true, retention_days: 30 },
  { trains: true, retention_days: 0 },
  { trains: false, retention_days: 30 },
  { trains: false, retention_days: null },
  { trains: false, retention_days: 0 },
] as const;
const SOURCES = ['contract', 'provider', 'operator'] as const;
const SUPPLIES = ['subnet', 'selfhosted', 'centralized'] as const;
const OWNERS = [undefined, undefined, undefined, 'strict', 'others'];

function pickFleet(random: () => number): FleetEndpoint[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: 40 }, (_, index) => {
    const owner = pick(OWNERS);
    return {
      id: `fleet-${index}`,
      model: FLEET_MODEL,
      supply: pick(SUPPLIES),
      jurisdiction: pick(PLACES),
      data_policy: { ...pick(POLICIES), source: pick(SOURCES) },
      price: { prompt: 1 + Math.floor(random() * 5), completion: 2 },
      ...(owner !== undefined && { owner }),
    };
  });
}

const FLEET = pickFleet(seededRandom(SEED));

const KEYS = {
  testers: 'sk-hr-testers-00000000000000',
  strict: 'sk-hr-strict-000000000000000',
  lenient: 'sk-hr-lenient-00000000000000',
  'strict-key': 'sk-hr-strict-key-00000000000',
};
type KeyName = keyof typeof KEYS;

/** What the key's own policies demand, written down again by hand. */
const DEMANDS: Record<KeyName, { team: string; tier: PrivacyTier; places: string[] | null; trustsOperators: boolean | 'as asked' }> = {
  testers: { team: 'testers', tier: 'open', places: null, trustsOperators: 'as asked' },
  strict: { team: 'strict', tier: 'zero_retention', places: ['DE', 'FR', 'NL'], trustsOperators: false },
  lenient: { team: 'lenient', tier: 'no_training', places: null, trustsOperators: true },
  'strict-key': { team: 'testers', tier: 'zero_retention', places: ['DE', 'FR', 'NL'], trustsOperators: false },
};

/** Every way in which an endpoint may fail fast. */
const TROUBLES: Record<string, Script> = {
  'status 500': (_, response) => sendJson(response, 500, { error: { message: 'down' } }),
  'status 429': (_, response) => sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '1' }),
  'status 404': (_, response) => sendJson(response, 404, { error: { message: 'model not found' } }),
  redirect: (_, response) => void response.writeHead(307, { location: 'http://example.com/' }).end(),
  'no answer': (_, response) => void response.destroy(),
  'HTML page': (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hello</html>'),
  'empty answer': (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(),
  'error inside 200': (_, response) => sendJson(response, 200, { error: { message: 'overloaded', code: 503 } }),
  'broken JSON': (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[{'),
  'broken stream': (_, response) => {
    openStream(response);
    response.end(chunk({ role: 'assistant', content: 'Hel' }));
  },
};

let house: House;

beforeAll(async () => {
  const strict = { privacy: { min_tier: 'zero_retention', jurisdictions: ['DE', 'FR', 'NL'] } };
  const named = (id: string, data_policy: object, more: object = {}) => ({
    id,
    model: `tier/${id}`,
    data_policy,
    jurisdiction: ['DE'],
    ...more,
  });
  house = await openHouse({
    endpoints: [
      ...FLEET,
      named('silent', { trains: null, retention_days: null, source: 'contract' }),
      named('kind', { trains: false, retention_days: 30, source: 'contract' }),
      named('forgetful', { trains: false, retention_days: 0, source: 'contract' }),
      named('boastful', { trains: false, retention_days: 0, source: 'operator' }),
      named('ours', { trains: true, retention_days: 90, source: 'operator' }, { owner: 'testers' }),
    ],
    manifest: {
      policies: { strict, lenient: { data_collection: 'deny', privacy: { accept_operator_claims: true } }, loose: {} },
      teams: [
        {
          id: 'testers',
          keys: [
            { name: 'plain', value: KEYS.testers },
            { name: 'strict', value: KEYS['strict-key'], policy: 'strict' },
          ],
        },
        { id: 'strict', policy: 'strict', keys: [{ name: 'plain', value: KEYS.strict }] },
        { id: 'lenient', policy: 'lenient', keys: [{ name: 'plain', value: KEYS.lenient }] },
        { id: 'others' },
      ],
    },
  });
});

afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

/** What an endpoint proves, straight from the definition of the tiers. */
function provenRank({ owner, data_policy: said }: FleetEndpoint, team: string, trustsOperators: boolean): number {
  if (owner === team) return tierRank('attested');
  if (said.trains !== false || (said.source === 'operator' && !trustsOperators)) return tierRank('open');
  return tierRank(said.retention_days === 0 ? 'zero_retention' : 'no_training');
}

const privacyWishes = fc.record(
  {
    min_tier: fc.constantFrom(...PRIVACY_TIERS.slice(0, 4)),
    jurisdictions: fc.uniqueArray(fc.constantFrom('DE', 'FR', 'US', 'CN'), { minLength: 1 }),
    accept_operator_claims: fc.boolean(),
  },
  { requiredKeys: [] },
);
const wish = fc.record(
  {
    privacy: privacyWishes,
    zdr: fc.boolean(),
    data_collection: fc.constantFrom('allow' as const, 'deny' as const),
    order: fc.uniqueArray(fc.constantFrom(...FLEET.map(({ id }) => id)), { maxLength: 5 }),
    sort: fc.constantFrom('price', 'latency', 'throughput'),
    policy: fc.constant('loose'),
    allow_fallbacks: fc.constant(true),
  },
  { requiredKeys: [] },
);
const scene = fc.record({
  key: fc.constantFrom(...(Object.keys(KEYS) as KeyName[])),
  provider: wish,
  stream: fc.boolean(),
  failing: fc.array(fc.option(fc.constantFrom(...Object.keys(TROUBLES)), { nil: null, freq: 3 }), { minLength: 40, maxLength: 40 }),
});

describe('privacy is never relaxed', () => {
  it(`R1: no request reaches an endpoint below its tier or outside its jurisdictions, whatever fails (SEED=${SEED})`, async () => {
    const seen = { calls: 0, fallbacks: 0, refusals: 0, answers: 0 };
    await fc.assert(
      fc.asyncProperty(scene, async ({ key, provider, stream, failing }) => {
        house.upstream.reset();
        for (const [index, { id }] of FLEET.entries()) house.upstream.script(id, TROUBLES[failing[index] ?? ''] ?? answer());

        const own = DEMANDS[key];
        const demandedRank = Math.max(
          tierRank(own.tier),
          tierRank(provider.privacy?.min_tier ?? 'open'),
          provider.data_collection === 'deny' ? tierRank('no_training') : 0,
          provider.zdr === true ? tierRank('zero_retention') : 0,
        );
        const asked = provider.privacy?.accept_operator_claims;
        const trusts = asked === false ? false : own.trustsOperators === 'as asked' ? asked === true : own.trustsOperators;
        const lists = [own.places, provider.privacy?.jurisdictions ?? null].filter((list) => list !== null);
        const isPossible = lists.length < 2 || lists[0]?.some((place) => lists[1]?.includes(place)) === true;
        const allowed = FLEET.filter(
          (endpoint) =>
            provenRank(endpoint, own.team, trusts) >= demandedRank &&
            (endpoint.owner === undefined || endpoint.owner === own.team) &&
            lists.every((list) => endpoint.jurisdiction.length > 0 && endpoint.jurisdiction.every((place) => list.includes(place))),
        );

        const response = await house.chat({ model: FLEET_MODEL, provider, stream }, bearer(KEYS[key]));
        await response.text();
        const called = house.upstream.calls.map(({ endpoint }) => endpoint);
        for (const id of called) expect(allowed.map((endpoint) => endpoint.id)).toContain(id);
        if (!isPossible) expect(response.status).toBe(400);
        else if (allowed.length === 0) expect(response.status).toBe(404);
        else expect([400, 404]).not.toContain(response.status);

        if (response.status === 200) {
          const served = FLEET.find(({ id }) => id === response.headers.get('x-headrace-endpoint')) as FleetEndpoint;
          expect(response.headers.get('x-headrace-tier')).toBe(PRIVACY_TIERS[provenRank(served, own.team, trusts)]);
          seen.answers++;
        }
        seen.calls += called.length;
        seen.fallbacks += Math.max(0, called.length - 1);
        seen.refusals += response.status === 400 || response.status === 404 ? 1 : 0;
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
    // The property says nothing unless requests were served, refused and failed over.
    expect(seen.answers).toBeGreaterThan(20);
    expect(seen.fallbacks).toBeGreaterThan(10);
    expect(seen.refusals).toBeGreaterThan(5);
  });
});

describe('what a tier takes', () => {
  const served = async (model: string, provider: object, key = KEYS.testers) => {
    house.upstream.script(model, answer());
    const response = await house.chat({ model: `tier/${model}`, provider }, bearer(key));
    await response.text();
    expect(house.upstream.calls.length > 0).toBe(response.status === 200);
    return response.status === 200 ? response.headers.get('x-headrace-tier') : response.status;
  };

  it('an unknown data policy counts as open, whoever says that it is unknown', async () => {
    expect(await served('silent', {})).toBe('open');
    expect(await served('kind', {})).toBe('no_training');
  });

  it('data_collection deny means at least no_training, zdr at least zero_retention', async () => {
    expect(await served('kind', { data_collection: 'deny' })).toBe('no_training');
    house.upstream.reset();
    expect(await served('silent', { data_collection: 'deny' })).toBe(404);
    expect(await served('kind', { zdr: true })).toBe(404);
    expect(await served('forgetful', { zdr: true })).toBe('zero_retention');
  });

  it("an operator's own word counts only where the policy accepts it", async () => {
    expect(await served('boastful', { zdr: true })).toBe(404);
    expect(await served('boastful', { zdr: true, privacy: { accept_operator_claims: true } })).toBe('zero_retention');
    house.upstream.reset();
    expect(await served('boastful', {})).toBe('open');
  });

  it("a team's own endpoint satisfies attested, but neither hardware evidence nor another team", async () => {
    expect(await served('ours', { privacy: { min_tier: 'attested' } })).toBe('attested');
    house.upstream.reset();
    expect(await served('ours', { privacy: { min_tier: 'blind' } })).toBe(404);
    expect(await served('ours', { privacy: { min_tier: 'attested', require_gpu: true } })).toBe(404);
    expect(await served('ours', {}, KEYS.lenient)).toBe(404);
  });

  it('a refusal names the filter and how many endpoints it excluded', async () => {
    const error = await readError(await house.chat({ model: 'tier/kind', provider: { zdr: true } }));
    expect(error).toMatchObject({ code: 404, metadata: { excluded_by: [{ filter: 'H1', subject: 'privacy tier', endpoints: 1 }] } });
    const elsewhere = await readError(await house.chat({ model: 'tier/kind', provider: { privacy: { jurisdictions: ['US'] } } }));
    const reasons = [expect.stringContaining('allowed: US')];
    expect(elsewhere.metadata['excluded_by']).toMatchObject([{ filter: 'H2', subject: 'jurisdiction', endpoints: 1, reasons }]);
  });
});

describe('policies in force', () => {
  it('K9: no request escapes the policy of its key or team', async () => {
    house.upstream.script('kind', answer());
    house.upstream.script('boastful', answer());
    const escapes: [string, object, Record<string, string>][] = [
      ['kind', { privacy: { min_tier: 'open' } }, {}],
      ['kind', { data_collection: 'allow', zdr: false }, {}],
      ['kind', { policy: 'loose' }, {}],
      ['kind', { order: ['kind'], allow_fallbacks: false }, {}],
      ['kind', { only: ['kind'] }, {}],
      ['kind', {}, { 'x-headrace-policy': 'loose' }],
      ['kind', { optimize: 'price', sort: 'price' }, {}],
      ['boastful', { privacy: { accept_operator_claims: true } }, {}],
      ['boastful', { policy: 'lenient' }, {}],
    ];
    for (const key of [KEYS.strict, KEYS['strict-key']]) {
      for (const [model, provider, headers] of escapes) {
        const response = await house.chat(
          { model: `tier/${model}`, provider },
          { headers: { authorization: `Bearer ${key}`, ...headers } },
        );
        expect([JSON.stringify(provider), response.status]).toEqual([JSON.stringify(provider), 404]);
        await response.text();
      }
    }
    expect(house.upstream.calls).toHaveLength(0);
  });

  const contradictions: [string, KeyName, object][] = [
    ['provider.only', 'testers', { only: ['kind'], ignore: ['kind'] }],
    ['provider.supply.only', 'testers', { supply: { only: ['subnet'], ignore: ['subnet'] } }],
    ['provider.supply.ignore', 'testers', { supply: { ignore: ['subnet', 'selfhosted', 'centralized'] } }],
    ['provider.privacy.jurisdictions', 'strict', { privacy: { jurisdictions: ['US'] } }],
  ];
  for (const [param, key, provider] of contradictions) {
    it(`a contradiction is a 400 that names ${param}`, async () => {
      const response = await house.chat({ model: 'tier/kind', provider }, bearer(KEYS[key]));
      expect(response.status).toBe(400);
      expect(await readError(response)).toMatchObject({ code: 400, type: 'invalid_request_error', param });
    });
  }
});
