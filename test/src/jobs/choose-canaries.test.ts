import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import { CANARIES_PER_RUN, chooseCanaries, type CanaryScene } from '#src/jobs/choose-canaries';
import { NOW_MS } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { quietOf, sharedOf } from './shared-endpoint.ts';

const HALF_OPEN = { breaker: { state: 'half_open', trips: 1, probe: 'taken' } as const };
const openFor = (remainingMs: number) => ({ breaker: { state: 'open', trips: 1, remainingMs } as const });
const PRICE = { promptPicoUsdPerToken: 100_000, completionPicoUsdPerToken: 400_000, requestNanoUsd: 0 };
const times = (factor: number) => ({
  price: { ...PRICE, promptPicoUsdPerToken: factor * 100_000, completionPicoUsdPerToken: factor * 400_000 },
});

function choose(offers: readonly Offer[], over: Partial<CanaryScene> = {}) {
  return chooseCanaries({
    shared: [],
    offers,
    nowMs: NOW_MS,
    askedAtMs: new Map(),
    budgetNanoUsd: 1e9,
    canariesMax: CANARIES_PER_RUN,
    random: () => 0.5,
    isCallable: () => true,
    ...over,
  });
}
const idsOf = (...args: Parameters<typeof choose>) => choose(...args).map(({ offer }) => offer.endpointId);

describe('canaries go to', () => {
  it('endpoints of which nothing was seen lately, or ever, while others of the model have traffic', () => {
    const shared = [sharedOf('busy'), quietOf('quiet')];
    expect(idsOf([offerOf('busy'), offerOf('quiet'), offerOf('unseen')], { shared })).toEqual(['unseen', 'quiet']);
  });

  it('nobody where the model has no traffic, whatever other models have; other canaries are no traffic', () => {
    const oneAMinute = { counters: { fastOk: 1.06 * Math.exp(-2.9), fastBad: 0, slowOk: 5, slowBad: 0 } };
    const shared = [sharedOf('busy'), quietOf('quiet'), quietOf('probed', oneAMinute)];
    const offers = ['quiet', 'probed', 'unseen'].map((id) => offerOf(id, { modelId: 'lab/other' }));
    expect(idsOf([offerOf('busy'), ...offers], { shared })).toEqual([]);
  });

  it('breakers that wait for a probe, with or without traffic and before all others; not to open ones', () => {
    const shared = [sharedOf('busy'), sharedOf('half', HALF_OPEN), sharedOf('over', openFor(0)), sharedOf('open', openFor(1))];
    const offers = [offerOf('busy'), offerOf('unseen'), offerOf('half'), offerOf('over'), offerOf('open')];
    expect(choose(offers, { shared })).toMatchObject([
      { offer: { endpointId: 'half' }, isProbe: true },
      { offer: { endpointId: 'over' }, isProbe: true },
      // The board names only what has changed lately: nobody knows whether this one waits for a probe.
      { offer: { endpointId: 'unseen' }, isProbe: true },
    ]);
    expect(choose([offerOf('busy'), offerOf('quiet')], { shared: [sharedOf('busy'), quietOf('quiet')] })).toMatchObject([
      { isProbe: false },
    ]);
    expect(idsOf([offerOf('half')], { shared: [quietOf('half', HALF_OPEN)] })).toEqual(['half']);
  });

  it('R4: no breaker at which a request is under way', () => {
    expect(idsOf([offerOf('half')], { shared: [sharedOf('half', { ...HALF_OPEN, inFlight: 1 })] })).toEqual([]);
  });

  it('nobody who asked to be left alone, is a team’s own, does not chat, has no price or no key here', () => {
    const shared = [sharedOf('busy'), quietOf('full', { backoff: { remainingMs: 1, refusals: 1 } })];
    const offers = [
      offerOf('busy'),
      offerOf('full'),
      offerOf('private', { ownerTeamId: 'research' }),
      offerOf('speaks', { operations: new Set(['speech']) }),
      offerOf('unpriced', { price: null }),
      offerOf('keyless', { keySecret: 'NOT_HERE' }),
    ];
    expect(idsOf(offers, { shared, isCallable: ({ keySecret }) => keySecret === null })).toEqual([]);
  });

  it('what was seen longest ago first; chance decides between what was never seen', () => {
    const aged = (ageMs: number) => ({ ttft: { logMean: 6, recentMs: [400], ageMs } });
    const shared = [sharedOf('busy'), quietOf('a', aged(90_000)), quietOf('b', aged(200_000))];
    const draws = [0.9, 0.9, 0.9, 0.1];
    const offers = [offerOf('busy'), offerOf('a'), offerOf('b'), offerOf('never-1'), offerOf('never-2')];
    expect(idsOf(offers, { shared, random: () => draws.shift() ?? 0 })).toEqual(['never-2', 'never-1', 'b', 'a']);
  });
});

describe('the budget of canaries', () => {
  const shared = [sharedOf('busy')];

  it('an endpoint is asked once a minute, and one of more than twice the median price once in ten', () => {
    const offers = [offerOf('busy'), offerOf('fair'), offerOf('fair-2'), offerOf('dear', times(2.1))];
    const asked = (agoMs: number) => ({ shared, askedAtMs: new Map(['fair', 'dear'].map((id) => [id, NOW_MS - agoMs])) });
    expect(idsOf(offers, asked(40_000))).toEqual(['fair-2']);
    expect(idsOf(offers, asked(59_000))).toEqual(['fair', 'fair-2']);
    expect(idsOf(offers, asked(599_000))).toEqual(['fair', 'fair-2']);
    expect(idsOf(offers, asked(600_000))).toEqual(['fair', 'fair-2', 'dear']);
  });

  it('R15: a canary in the future, from before the clock jumped back, keeps nobody away', () => {
    expect(idsOf([offerOf('busy'), offerOf('a')], { shared, askedAtMs: new Map([['a', NOW_MS + 1]]) })).toEqual(['a']);
  });

  it('no more are chosen than a run may ask', () => {
    const many = Array.from({ length: 100 }, (_, place) => offerOf(`e${place}`));
    expect(idsOf([offerOf('busy'), ...many], { shared })).toHaveLength(30);
    expect(idsOf([offerOf('busy'), ...many], { shared, canariesMax: 4 })).toHaveLength(4);
  });

  it('no more is chosen than can be paid; what is cheaper goes on', () => {
    const offers = [offerOf('busy'), offerOf('a', times(1)), offerOf('b', times(2)), offerOf('c', times(1)), offerOf('d', times(1))];
    const [{ worstNanoUsd } = { worstNanoUsd: 0 }] = choose([offerOf('busy'), offerOf('a')], { shared });
    expect(worstNanoUsd).toBeGreaterThan(0);
    expect(idsOf(offers, { shared, budgetNanoUsd: 2 * worstNanoUsd })).toEqual(['a', 'c']);
    expect(idsOf(offers, { shared, budgetNanoUsd: 0 })).toEqual([]);
    expect(idsOf(offers, { shared, budgetNanoUsd: -5 })).toEqual([]);
  });
});

it('R8: says whether traffic has shown how fast an endpoint is', () => {
  const ttft = { logMean: 6, recentMs: [400], ageMs: 300_001 };
  const shared = [
    sharedOf('busy'),
    quietOf('timed'),
    quietOf('long-ago', { ttft }),
    quietOf('only-failed', { ttft: { ...ttft, recentMs: [], ageMs: 90_000 } }),
  ];
  const chosen = choose(
    ['busy', 'timed', 'long-ago', 'only-failed', 'unseen'].map((id) => offerOf(id)),
    { shared },
  );
  expect(Object.fromEntries(chosen.map(({ offer, isTimed }) => [offer.endpointId, isTimed]))).toEqual({
    timed: true,
    'long-ago': false,
    'only-failed': false,
    unseen: false,
  });
});
