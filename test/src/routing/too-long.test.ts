import { expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { ResolvedPolicy } from '#schema/policy';
import { plan } from '#src/routing/plan';
import { factsOf, inputOf, offerOf, policyOf } from './fleet.ts';

const LONG = { promptTokens: 100_000, maxTokens: null };
const small = offerOf({ endpointId: 'small', context: 32_768 });
const other = (over: Partial<Offer>) => offerOf({ endpointId: 'other', context: 1_000_000, ...over });

function isTooLong(offers: readonly Offer[], facts: Partial<RequestFacts>, policy: Partial<ResolvedPolicy> = {}): boolean {
  return plan(inputOf(offers, { facts: factsOf(facts), policy: policyOf(policy) })).promptTooLong;
}

it.each<[what: string, offers: Offer[], facts: Partial<RequestFacts>, policy: Partial<ResolvedPolicy>, expected: boolean]>([
  ['nothing has the context', [small], LONG, {}, true],
  ['what has it cannot do what is asked', [small, other({ capabilities: new Set() })], { ...LONG, needs: ['vision'] }, {}, true],
  ['what has it is of a supply that is excluded', [small, other({ supply: 'subnet' })], LONG, { supplyOnly: ['centralized'] }, true],
  ['what has it costs too much', [small, other({ price: null })], LONG, {}, false],
  ['something has it', [small, other({})], LONG, {}, false],
  ['the output asked for is what does not fit', [small], { promptTokens: 1000, maxTokens: 40_000 }, {}, false],
  ['nothing offers the model', [], LONG, {}, false],
])('a prompt is too long or not: %s', (_, offers, facts, policy, expected) => {
  expect(isTooLong(offers, facts, policy)).toBe(expected);
});
