import { describe, expect, it } from 'vitest';
import type { Claim, Offer } from '#schema/catalog';
import { demandedRank, provenTier, type EvidencePolicy } from '#src/routing/privacy';
import { NOW_MS, offerOf, policyOf, TEAM } from './fleet.ts';

const HOUR_MS = 3_600_000;

function claimOf(over: Partial<Claim>): Claim {
  return { kind: 'zero_retention', source: 'contract', evidence: 'sha256:00', observedAtMs: NOW_MS - HOUR_MS, expiresAtMs: null, ...over };
}

const ENCLAVE = claimOf({ kind: 'attested', source: 'hardware', coversGpu: true, tcbUpToDate: true });

interface Case {
  promise: string;
  offer: Partial<Offer>;
  policy?: Partial<EvidencePolicy>;
  tier: string;
}

const CASES: Case[] = [
  { promise: 'nothing known proves nothing', offer: {}, tier: 'open' },
  {
    promise: 'a provider that does not train',
    offer: { dataPolicy: { trains: false, retention_days: 30, source: 'provider' } },
    tier: 'no_training',
  },
  {
    promise: 'unknown retention is no zero retention',
    offer: { dataPolicy: { trains: false, retention_days: null, source: 'provider' } },
    tier: 'no_training',
  },
  {
    promise: 'zero retention without a word on training proves nothing',
    offer: { dataPolicy: { trains: null, retention_days: 0, source: 'contract' } },
    tier: 'open',
  },
  {
    promise: 'zero retention by contract',
    offer: { dataPolicy: { trains: false, retention_days: 0, source: 'contract' } },
    tier: 'zero_retention',
  },
  {
    promise: "an operator's word does not count",
    offer: { dataPolicy: { trains: false, retention_days: 0, source: 'operator' } },
    tier: 'open',
  },
  { promise: 'a data policy without source is an operator’s', offer: { dataPolicy: { trains: false, retention_days: 0 } }, tier: 'open' },
  {
    promise: "an operator's word counts where accepted",
    offer: { dataPolicy: { trains: false, retention_days: 0, source: 'operator' } },
    policy: { acceptOperatorClaims: true },
    tier: 'zero_retention',
  },
  { promise: 'a claim lifts the tier', offer: { claims: [claimOf({})] }, tier: 'zero_retention' },
  { promise: 'an expired claim does not', offer: { claims: [claimOf({ expiresAtMs: NOW_MS })] }, tier: 'open' },
  { promise: 'an operator claim does not', offer: { claims: [claimOf({ source: 'operator' })] }, tier: 'open' },
  { promise: 'a claim from the future does not', offer: { claims: [claimOf({ observedAtMs: NOW_MS + HOUR_MS })] }, tier: 'open' },
  {
    promise: 'a claim older than the policy allows does not',
    offer: { claims: [claimOf({})] },
    policy: { maxEvidenceAgeS: 3_599 },
    tier: 'open',
  },
  {
    promise: 'a claim just young enough does',
    offer: { claims: [claimOf({})] },
    policy: { maxEvidenceAgeS: 3_600 },
    tier: 'zero_retention',
  },
  {
    promise: 'a weaker source cannot contradict a stronger one',
    offer: { dataPolicy: { trains: true, retention_days: 30, source: 'contract' }, claims: [claimOf({ source: 'provider' })] },
    tier: 'open',
  },
  {
    promise: 'a contract overrides the published terms',
    offer: { dataPolicy: { trains: true, retention_days: 30, source: 'provider' }, claims: [claimOf({})] },
    tier: 'zero_retention',
  },
  {
    promise: 'an enclave proven by hardware',
    offer: { claims: [ENCLAVE] },
    policy: { requireGpuEvidence: true, requireUpToDateTcb: true },
    tier: 'attested',
  },
  {
    promise: 'an enclave in a brochure proves nothing',
    offer: { claims: [claimOf({ kind: 'attested', source: 'provider' })] },
    tier: 'open',
  },
  {
    promise: 'evidence without the GPU does not meet require_gpu',
    offer: { claims: [{ ...ENCLAVE, coversGpu: false }] },
    policy: { requireGpuEvidence: true },
    tier: 'open',
  },
  {
    promise: 'evidence of an outdated TCB does not meet tcb',
    offer: { claims: [{ ...ENCLAVE, tcbUpToDate: false }] },
    policy: { requireUpToDateTcb: true },
    tier: 'open',
  },
  { promise: 'own hardware is attested', offer: { ownerTeamId: TEAM }, tier: 'attested' },
  {
    promise: 'own hardware is not evidence for require_gpu',
    offer: { ownerTeamId: TEAM },
    policy: { requireGpuEvidence: true },
    tier: 'open',
  },
  { promise: 'own hardware is not evidence of bounded age', offer: { ownerTeamId: TEAM }, policy: { maxEvidenceAgeS: 60 }, tier: 'open' },
  { promise: "another team's hardware is nobody's own", offer: { ownerTeamId: 'rivals' }, tier: 'open' },
];

describe('provenTier', () => {
  it.each(CASES)('$promise: $tier', ({ offer, policy, tier }) => {
    expect(provenTier(offerOf(offer), policyOf(policy), TEAM, NOW_MS)).toBe(tier);
  });

  it('a demand for GPU evidence is a demand for an enclave', () => {
    expect(demandedRank(policyOf({ minTier: 'open', requireGpuEvidence: true }))).toBe(3);
    expect(demandedRank(policyOf({ minTier: 'blind', requireGpuEvidence: true }))).toBe(4);
    expect(demandedRank(policyOf({ minTier: 'no_training' }))).toBe(1);
  });
});
