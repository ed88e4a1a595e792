/** What a policy lets a team use at all, before anything is asked. */
import type { Offer, Operation } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { ResolvedPolicy } from '#schema/policy';
import { toDemand } from './demand.ts';
import { survey } from './survey.ts';

export interface AllowedInput {
  policy: ResolvedPolicy;
  teamId: string;
  nowMs: number;
  isCallable(offer: Offer): boolean;
}

/** Lists the offers that pass every hard filter for a request that needs nothing in particular. */
export function allowedOffers(offers: readonly Offer[], { policy, teamId, nowMs, isCallable }: AllowedInput): Offer[] {
  const byOperation = Map.groupBy(offers.filter(isCallable), ({ operations: [first = 'chat'] }) => first);
  return [...byOperation].flatMap(([operation, own]) => {
    const demand = toDemand({ facts: leastFacts(teamId, operation), policy, nowMs, isCallable });
    return survey([{ model: NO_MODEL, offers: own }], demand).offers;
  });
}

/** The survey reads offers only. */
const NO_MODEL = { id: '', name: '', createdAtS: 0, context: null, inputModalities: [], outputModalities: [] };

/** Describes a request that needs nothing in particular. */
export function leastFacts(teamId: string, operation: Operation): RequestFacts {
  return {
    teamId,
    operation,
    promptTokens: 0,
    maxTokens: null,
    choices: 1,
    expectedCompletionTokens: 0,
    stream: false,
    needs: [],
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
  };
}
