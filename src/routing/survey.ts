/** One pass over everything offered: the hard filters, what the request costs, and who is left. Touches no health. */
import type { Capability, ModelEntry, Offer } from '#schema/catalog';
import type { Demand } from './demand.ts';
import { isVisible, isWithinPrice, judgeTerms, type HardFilter, type RowPrice, type TermsVerdict } from './filters.ts';
import { profilesOf, type Profiles } from './profiles.ts';

/** Rejections kept one by one; beyond them only the counts go on. */
const REJECTIONS_DETAILED_MAX = 200;
const PICO_PER_NANO = 1000;

/** The offers that passed, as parallel columns, and what became of the others. */
export interface Survey {
  offers: Offer[];
  /** Place of the offer's model among the entries; 0 for all where models are to be mixed. */
  groups: number[];
  /** Expected price of the request, unrounded, so that near prices still compare. */
  pricesPicoUsd: number[];
  /** Whether the offer would drop a parameter that shapes the answer. */
  lacksWanted: boolean[];
  rejections: { offer: Offer; filter: HardFilter }[];
  rejectionCounts: Record<string, number>;
}

/** Surveys the offers of all entries. Other teams' private endpoints leave no trace. */
export function survey(entries: readonly ModelEntry[], demand: Demand): Survey {
  const found: Survey = { offers: [], groups: [], pricesPicoUsd: [], lacksWanted: [], rejections: [], rejectionCounts: {} };
  for (const [place, { offers }] of entries.entries()) {
    surveyModel(found, { group: demand.policy.sortAcrossModels ? 0 : place, offers }, demand);
  }
  return found;
}

/** Books a rejection. */
export function reject(found: Survey, offer: Offer, filter: HardFilter): void {
  found.rejectionCounts[filter] = (found.rejectionCounts[filter] ?? 0) + 1;
  if (found.rejections.length < REJECTIONS_DETAILED_MAX) found.rejections.push({ offer, filter });
}

function surveyModel(found: Survey, model: { group: number; offers: readonly Offer[] }, demand: Demand): void {
  const { offers, group } = model;
  const profiles = profilesOf(offers);
  const { profileOf, poolTokens, promptPicoUsd, completionPicoUsd, unitPicoUsd, requestNanoUsd } = profiles;
  const { teamId, promptTokens, expectedCompletionTokens, unitsMax = 0 } = demand.facts;
  const isSeen = profiles.examples.map((example) => isVisible(example, teamId));
  const verdicts = profiles.examples.map((example) => judgeTerms(example, demand));
  const lacksWanted = profiles.examples.map((example) => lacksAny(example, demand.facts.wants));
  const namedVerdicts = judgeNamed(profiles, offers, demand);
  const price = { prompt: 0, completion: 0, unit: 0, requestNanoUsd: 0 };

  for (let row = 0; row < offers.length; row++) {
    const profile = profileOf[row] as number;
    if (!isSeen[profile]) continue;
    const verdict = namedVerdicts.get(row) ?? (verdicts[profile] as TermsVerdict);
    price.prompt = promptPicoUsd[row] as number;
    price.completion = completionPicoUsd[row] as number;
    price.unit = unitPicoUsd[row] as number;
    price.requestNanoUsd = requestNanoUsd[row] as number;
    const filter = verdict.beforePrice ?? firstByRow(price, poolTokens[row] as number, demand) ?? verdict.afterPrice;
    if (filter !== null) {
      reject(found, offers[row] as Offer, filter);
      continue;
    }
    found.offers.push(offers[row] as Offer);
    found.groups.push(group);
    found.lacksWanted.push(lacksWanted[profile] as boolean);
    // An unpriced offer that the policy allows costs nothing.
    found.pricesPicoUsd.push(
      promptTokens * price.prompt +
        expectedCompletionTokens * price.completion +
        unitsMax * price.unit +
        price.requestNanoUsd * PICO_PER_NANO || 0,
    );
  }
}

/** Judges what offers of one profile do not share: whether the KV cache ever holds the request, and the price. */
function firstByRow(price: RowPrice, poolTokens: number, demand: Demand): HardFilter | null {
  if (demand.tokensToHold > poolTokens) return 'H5';
  return isWithinPrice(price, demand) ? null : 'H6';
}

function lacksAny({ capabilities }: Offer, wants: readonly Capability[]): boolean {
  return wants.some((capability) => !capabilities.has(capability));
}

/** Judges the endpoints that a list calls by their own id; all others share the verdict of their profile. */
function judgeNamed(profiles: Profiles, offers: readonly Offer[], demand: Demand): Map<number, TermsVerdict> {
  const verdicts = new Map<number, TermsVerdict>();
  for (const slugs of [demand.namedSlugs, demand.denyList ?? []]) {
    for (const slug of slugs) {
      const row = profiles.rowOf.get(slug);
      if (row !== undefined) verdicts.set(row, judgeTerms(offers[row] as Offer, demand));
    }
  }
  return verdicts;
}
