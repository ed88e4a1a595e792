/**
 * The fleet that is simulated when no file names another: six miners, two machines of one's own, three APIs, none of them real.
 * Prices lie near dated offers for models of 30 billion weights (0.08–0.40 USD in, 0.24–1.20 out); speeds, spreads and failure shares
 * follow published statistics of hosted models (docs/routing.md, llmperf-leaderboard raw data). Cheap supply is small, large supply dear.
 */
import { toPicoUsdPerToken, type Price } from '#schema/money';
import type { BillingRules, Fleet, SimEndpoint } from '../contract.ts';
import { chanceOf, lognormal } from './chance.ts';

/** Ordinary failure shares of hosted endpoints: median and log-scale spread, from p50 0.6 % and p90 3.5 %. */
const FAILURE_SHARE_P50 = 0.006;
const FAILURE_SHARE_SIGMA = Math.log(0.035 / 0.006) / 1.2816;
const FAILURE_SHARE_MAX = 0.1;
/** Streams that break in the middle without any spell: miners leave, others hardly do. */
const BREAK_SHARE = { subnet: 0.004, selfhosted: 0.001, centralized: 0.0005 } as const;

const MINUTE_MS = 60_000;
const BILLS_ALL: BillingRules = { onFailure: true, onCancel: true };
const BILLS_ANSWERS: BillingRules = { onFailure: false, onCancel: true };

type Card = Omit<SimEndpoint, 'failureShare' | 'breakShare'>;

const MINER = {
  supply: 'subnet',
  declaredSlots: null,
  context: 32_768,
  quantization: 'fp8',
  continues: true,
  tpotSigma: 0.12,
  cache: { blocks: 1_500, ttlMs: 5 * MINUTE_MS },
  billing: BILLS_ANSWERS,
} as const satisfies Partial<Card>;

const NODE = { ...MINER, supply: 'selfhosted', operatorId: 'house', tpotSigma: 0.05, billing: BILLS_ALL } as const;

const API = {
  ...MINER,
  supply: 'centralized',
  context: 131_072,
  continues: false,
  tpotSigma: 0.1,
  cache: { blocks: 20_000, ttlMs: 5 * MINUTE_MS },
  billing: BILLS_ALL,
  slots: 256,
  queueMax: 0,
} as const satisfies Partial<Card>;

const CARDS: readonly Card[] = [
  {
    ...MINER,
    id: 'miner-ash',
    operatorId: 'ash',
    price: usdPerMillion(0.08, 0.24, 0.02),
    slots: 9,
    queueMax: 9,
    firstTokenMsP50: 350,
    firstTokenSigma: 0.25,
    prefillTokensPerSecond: 6_000,
    tpotMs: 22,
  },
  {
    ...MINER,
    id: 'miner-birch',
    operatorId: 'birch',
    price: usdPerMillion(0.09, 0.27, 0.02),
    slots: 12,
    queueMax: 12,
    firstTokenMsP50: 420,
    firstTokenSigma: 0.3,
    prefillTokensPerSecond: 5_000,
    tpotMs: 25,
  },
  {
    ...MINER,
    id: 'miner-cedar-1',
    operatorId: 'cedar',
    price: usdPerMillion(0.1, 0.3),
    slots: 12,
    queueMax: 12,
    firstTokenMsP50: 380,
    firstTokenSigma: 0.2,
    prefillTokensPerSecond: 6_000,
    tpotMs: 27,
  },
  {
    ...MINER,
    id: 'miner-cedar-2',
    operatorId: 'cedar',
    price: usdPerMillion(0.1, 0.3),
    slots: 12,
    queueMax: 12,
    firstTokenMsP50: 400,
    firstTokenSigma: 0.2,
    prefillTokensPerSecond: 6_000,
    tpotMs: 28,
  },
  {
    ...MINER,
    id: 'miner-dune',
    operatorId: 'dune',
    price: usdPerMillion(0.11, 0.33),
    slots: 9,
    queueMax: 12,
    firstTokenMsP50: 500,
    firstTokenSigma: 0.6,
    prefillTokensPerSecond: 7_000,
    tpotMs: 18,
  },
  {
    ...MINER,
    id: 'miner-elm',
    operatorId: 'elm',
    price: usdPerMillion(0.13, 0.38),
    slots: 14,
    queueMax: 12,
    firstTokenMsP50: 600,
    firstTokenSigma: 0.3,
    prefillTokensPerSecond: 5_000,
    tpotMs: 30,
  },
  {
    // A consumer card: the quantised cache lets it hold many sequences, its prefill stays slow.
    ...NODE,
    id: 'rig-4090',
    price: usdPerMillion(0.1, 0.3, 0.02),
    declaredSlots: 28,
    slots: 28,
    queueMax: 20,
    firstTokenMsP50: 120,
    firstTokenSigma: 0.15,
    prefillTokensPerSecond: 5_500,
    tpotMs: 21,
    poolTokens: 96_000,
  },
  {
    ...NODE,
    id: 'rack-h100',
    price: usdPerMillion(0.16, 0.48, 0.03),
    declaredSlots: 48,
    slots: 48,
    queueMax: 48,
    firstTokenMsP50: 100,
    firstTokenSigma: 0.15,
    prefillTokensPerSecond: 24_000,
    tpotMs: 13,
    poolTokens: 400_000,
    cache: { blocks: 6_000, ttlMs: 10 * MINUTE_MS },
  },
  {
    ...API,
    id: 'api-orchard',
    operatorId: 'orchard',
    price: usdPerMillion(0.25, 0.75, 0.06),
    firstTokenMsP50: 450,
    firstTokenSigma: 0.18,
    prefillTokensPerSecond: 20_000,
    tpotMs: 13,
  },
  {
    ...API,
    id: 'api-quarry',
    operatorId: 'quarry',
    price: usdPerMillion(0.3, 0.9, 0.08),
    firstTokenMsP50: 320,
    firstTokenSigma: 0.15,
    prefillTokensPerSecond: 30_000,
    tpotMs: 9,
  },
  {
    ...API,
    id: 'api-beacon',
    operatorId: 'beacon',
    price: usdPerMillion(0.4, 1.2, 0.04),
    continues: true,
    firstTokenMsP50: 240,
    firstTokenSigma: 0.13,
    prefillTokensPerSecond: 40_000,
    tpotMs: 6,
  },
];

/** Draws the fleet of one seed: the cards, each with a failure share of its own. */
export function defaultFleet(seed: number): Fleet {
  return { endpoints: CARDS.map((card) => withFailures(card, seed)), spells: [], prices: [], listings: [], isReplay: false };
}

/** Gives an endpoint the ordinary failures that its kind shows. */
function withFailures(card: Card, seed: number): SimEndpoint {
  const share = lognormal(chanceOf(seed, 'failure-share', card.id), FAILURE_SHARE_P50, FAILURE_SHARE_SIGMA);
  return { ...card, failureShare: Math.min(FAILURE_SHARE_MAX, share), breakShare: BREAK_SHARE[card.supply] };
}

/** Writes a price as people do. */
export function usdPerMillion(prompt: number, completion: number, cacheRead?: number): Price {
  return {
    promptPicoUsdPerToken: toPicoUsdPerToken(prompt),
    completionPicoUsdPerToken: toPicoUsdPerToken(completion),
    ...(cacheRead !== undefined && { cacheReadPicoUsdPerToken: toPicoUsdPerToken(cacheRead) }),
    requestNanoUsd: 0,
  };
}
