import { describe, expect, it } from 'vitest';
import { allowedOffers } from '#src/routing/allowed';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import { resolvePolicy } from '#src/admission/resolve-policy';
import type { PolicyDocument } from '#schema/policy';
import { catalogRows, endpointRow, NOW_MS, offerRow } from '../catalog/rows.ts';

const ENDPOINTS = [
  endpointRow({ id: 'plain' }),
  endpointRow({ id: 'careful', dataPolicy: { trains: false, retention_days: 0, source: 'contract' } }),
  endpointRow({ id: 'dear' }),
  endpointRow({ id: 'unpriced' }),
  endpointRow({ id: 'theirs', ownerTeamId: 'sales' }),
  endpointRow({ id: 'vectors', capabilities: ['embeddings'] }),
  endpointRow({ id: 'keyless', keySecret: 'MISSING' }),
];
const PRICED = ['plain', 'careful', 'theirs', 'vectors', 'keyless'].map((endpointId) => offerRow({ endpointId }));
const rows = catalogRows({ endpoints: ENDPOINTS, offers: [...PRICED, offerRow({ endpointId: 'dear', promptPicoUsdPerToken: 9_000_000 })] });
const { models } = buildSnapshot(rows, { nowMs: NOW_MS, version: 'v', allowedHosts: [] }).snapshot;

function allowed(document: PolicyDocument): string[] {
  const book = { policies: new Map([['it', { name: 'it', version: 1, document }]]), defaultName: null };
  const policy = resolvePolicy(book, { team: 'it', key: null, request: null }, []);
  const offers = [...models.values()].flatMap((entry) => entry.offers);
  const isCallable = ({ keySecret }: { keySecret: string | null }) => keySecret !== 'MISSING';
  return allowedOffers(offers, { policy, teamId: 'research', nowMs: NOW_MS, isCallable })
    .map(({ endpointId }) => endpointId)
    .toSorted();
}

describe('what a policy allows before anything is asked', () => {
  it.each([
    [{}, ['careful', 'dear', 'plain', 'vectors']],
    [{ privacy: { min_tier: 'zero_retention' } }, ['careful']],
    [{ max_price: { prompt: 1 } }, ['careful', 'plain', 'vectors']],
    [{ allow_unpriced: true, only: ['unpriced', 'plain', 'theirs', 'keyless'] }, ['plain', 'unpriced']],
    [{ privacy: { jurisdictions: ['FR'] } }, []],
    [{ ignore: ['alpha'] }, []],
  ] as [PolicyDocument, string[]][])('%j leaves %j', (document, ids) => {
    expect(allowed(document)).toEqual(ids);
  });
});
