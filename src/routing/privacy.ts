/** What an offer proves about privacy. Unknown, stale, contradicted and unaccepted claims prove nothing. */
import { CLAIM_SOURCES, PRIVACY_TIERS, tierRank, type Claim, type ClaimSource, type Offer, type PrivacyTier } from '#schema/catalog';
import type { ResolvedPolicy } from '#schema/policy';

/** Evidence dated further ahead than this is not believed; less is clock skew between machines. */
const CLOCK_SKEW_MS = 300_000;
const ATTESTED_RANK = tierRank('attested');

/** The part of a policy that decides which claims count. */
export type EvidencePolicy = Pick<ResolvedPolicy, 'acceptOperatorClaims' | 'requireGpuEvidence' | 'requireUpToDateTcb' | 'maxEvidenceAgeS'>;

/**
 * Proves the highest tier that an offer's claims support at `nowMs`, for a caller of `teamId` under `policy`.
 * An endpoint of the caller's own team proves `attested` unless the policy demands hardware evidence. DESIGN §6.
 */
export function provenTier(offer: Offer, policy: EvidencePolicy, teamId: string, nowMs: number): PrivacyTier {
  let rank = statedRank(offer, policy);
  if (offer.ownerTeamId === teamId && !demandsHardware(policy)) rank = ATTESTED_RANK;
  for (const claim of offer.claims) {
    const claimedRank = tierRank(claim.kind);
    if (claimedRank > rank && isCurrent(claim, policy, nowMs) && isSupported(claim, offer, policy)) rank = claimedRank;
  }
  return PRIVACY_TIERS[rank] ?? 'open';
}

/** Ranks the lowest tier that may pass: a demand for GPU or TCB evidence is a demand for an enclave. */
export function demandedRank(policy: EvidencePolicy & Pick<ResolvedPolicy, 'minTier'>): number {
  const floor = tierRank(policy.minTier);
  return policy.requireGpuEvidence || policy.requireUpToDateTcb ? Math.max(floor, ATTESTED_RANK) : floor;
}

function demandsHardware(policy: EvidencePolicy): boolean {
  return policy.requireGpuEvidence || policy.requireUpToDateTcb || policy.maxEvidenceAgeS !== null;
}

/** Data policies carry no date, so they prove nothing to a caller who bounds the age of evidence. */
function statedRank(offer: Offer, policy: EvidencePolicy): number {
  const stated = offer.dataPolicy;
  if (policy.maxEvidenceAgeS !== null || stated.trains !== false) return tierRank('open');
  if (!isAccepted(stated.source ?? 'operator', policy)) return tierRank('open');
  return tierRank(stated.retention_days === 0 ? 'zero_retention' : 'no_training');
}

function isAccepted(source: ClaimSource, policy: EvidencePolicy): boolean {
  return source !== 'operator' || policy.acceptOperatorClaims;
}

function isCurrent(claim: Claim, policy: EvidencePolicy, nowMs: number): boolean {
  if (claim.expiresAtMs !== null && claim.expiresAtMs <= nowMs) return false;
  const ageMs = nowMs - claim.observedAtMs;
  return ageMs >= -CLOCK_SKEW_MS && (policy.maxEvidenceAgeS === null || ageMs <= policy.maxEvidenceAgeS * 1000);
}

function isSupported(claim: Claim, offer: Offer, policy: EvidencePolicy): boolean {
  if (claim.kind === 'attested' || claim.kind === 'blind') {
    // An enclave is proven by its hardware; anybody else saying so is advertising.
    if (claim.source !== 'hardware') return false;
    return (!policy.requireGpuEvidence || claim.coversGpu === true) && (!policy.requireUpToDateTcb || claim.tcbUpToDate === true);
  }
  return isAccepted(claim.source, policy) && !isContradicted(claim, offer);
}

/** A claim against the supplier's own stated policy counts only when its source is the stronger one. */
function isContradicted(claim: Claim, offer: Offer): boolean {
  const stated = offer.dataPolicy;
  const denied = stated.trains === true || (claim.kind === 'zero_retention' && (stated.retention_days ?? 0) > 0);
  return denied && CLAIM_SOURCES.indexOf(claim.source) >= CLAIM_SOURCES.indexOf(stated.source ?? 'operator');
}
