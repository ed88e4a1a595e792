/**
 * The situations that policies are put into (docs/routing.md), each on top of the ordinary weather. What is hit is among the cheaper half of
 * the fleet, where the traffic is; which endpoints of it, the seed says.
 */
import type { Fault, Fleet, PriceChange, Scenario, SimEndpoint, SimRequest, Spell } from './contract.ts';
import { byPrice, draw, favourites, surge, surgeWindow, troubleWindow, withSpells, type Random, type Window } from './scenario-parts.ts';

/** Miners come and go: spot machines stay for 18 minutes and longer (docs/routing.md), these are hastier so that a short run shows it. */
const CHURN_UP_MS = 150_000;
const CHURN_DOWN_MS = 45_000;
/** In a price war somebody moves this often, to somewhere between half and one and a half times the old price. */
const PRICE_MOVE_MS = 20_000;
/** Prompts that a poisoner takes for long: the longest tenth of Azure's conversations. */
const LONG_PROMPT_TOKENS = 2_000;
/** A full KV cache: so many copies of one machine, each with a cache for a few prompts this many times as long as usual. */
const FULL_NODES = 4;
const FULL_POOL_TOKENS = 24_000;
const FULL_PROMPT_FACTOR = 4;
/** Longer prompts would fit none of the machines. */
const FULL_PROMPT_TOKENS_MAX = 16_000;
/** How much later than its empty first chunk a gamer of first-token times says something. */
const HOLLOW_MS = 4_000;
/** Retry-After as attackers send it: a day, a century, nothing, the past, no number. */
const ABSURD_RETRY_AFTER_MS = [86_400_000, 3.2e12, 0, -5_000, Number.NaN];

/** A scenario in which something is broken within the usual window. */
function fault(
  name: string,
  description: string,
  stage: (fleet: Fleet, window: Window, random: Random) => Fleet,
  isHardOutage = false,
): Scenario {
  return {
    name,
    description,
    isFault: true,
    isHardOutage,
    trouble: troubleWindow,
    stage: (fleet, { durationMs, random }) => stage(fleet, troubleWindow(durationMs), random),
  };
}

const QUIET = { isFault: false, isHardOutage: false, trouble: () => null, stage: (fleet: Fleet) => fleet } as const;

const DEAD: readonly Fault[] = [{ kind: 'silent' }, { kind: 'empty' }, { kind: 'garbage' }, { kind: 'break' }];

/** All scenarios, `calm` first. */
export const SCENARIOS: readonly Scenario[] = [
  { ...QUIET, name: 'calm', description: 'nothing but the ordinary weather' },
  fault(
    'outage-fast',
    'the cheapest endpoint and another cheap one answer nothing but 503',
    (fleet, window, random) =>
      withSpells(fleet, favourites(fleet, { others: 1, pool: 4 }, random), { ...window, fault: { kind: 'error', status: 503 } }),
    true,
  ),
  fault(
    'outage-hang',
    'the cheapest endpoint and another cheap one take requests and never answer',
    (fleet, window, random) => withSpells(fleet, favourites(fleet, { others: 1, pool: 4 }, random), { ...window, fault: { kind: 'hang' } }),
    true,
  ),
  fault('brown-out', 'five cheap endpoints fail 15 to 40 % of attempts', (fleet, window, random) =>
    favourites(fleet, { others: 4, pool: 7 }, random).reduce(
      (hit, endpoint) => withSpells(hit, [endpoint], { ...window, fault: { kind: 'error', status: 502 }, share: 0.15 + 0.25 * random() }),
      fleet,
    ),
  ),
  fault('drift', 'three cheap endpoints slow down to five times their times', (fleet, window, random) =>
    withSpells(fleet, favourites(fleet, { others: 2, pool: 6 }, random), {
      ...window,
      fault: { kind: 'slow', factor: 5, rampMs: 0.7 * (window.untilMs - window.fromMs) },
    }),
  ),
  fault('silent', 'four cheap endpoints: headers and no word, no content, nonsense, streams that break', (fleet, window, random) => {
    const hit = favourites(fleet, { others: DEAD.length - 1, pool: 6 }, random);
    return hit.reduce((so, endpoint, place) => withSpells(so, [endpoint], { ...window, fault: DEAD[place] as Fault }), fleet);
  }),
  fault('churn', 'miners vanish and come back, one is new', churn),
  fault('operator-shock', 'all endpoints of one operator fail nine attempts of ten', (fleet, window, random) => {
    const operators = Map.groupBy(fleet.endpoints, ({ operatorId }) => operatorId).values();
    const shared = [...operators].filter((own) => own.length > 1);
    const [hit = fleet.endpoints.slice(0, 1)] = draw(shared, 1, random);
    return withSpells(fleet, hit, { ...window, fault: { kind: 'error', status: 500 }, share: 0.9 });
  }),
  {
    ...QUIET,
    name: 'flash-crowd',
    description: 'five times the traffic for a minute',
    trouble: surgeWindow,
    load: (requests, { durationMs, random }) => surge(requests, surgeWindow(durationMs), random),
  },
  fault('429-storm', 'four cheap endpoints refuse seven attempts of ten', (fleet, window, random) =>
    withSpells(fleet, favourites(fleet, { others: 3, pool: 6 }, random), {
      ...window,
      fault: { kind: 'refuse', retryAfterMs: 1_000 },
      share: 0.7,
    }),
  ),
  {
    ...QUIET,
    name: 'price-war',
    description: 'somebody moves its price every 20 seconds',
    trouble: troubleWindow,
    stage: (fleet, { durationMs, random }) => ({
      ...fleet,
      prices: [...fleet.prices, ...priceWar(fleet, troubleWindow(durationMs), random)],
    }),
  },
  {
    ...QUIET,
    name: 'kv-full',
    description: 'prompts four times as long, at four small machines whose KV caches are full long before their slots',
    stage: smallNodes,
    load: lengthened,
  },
  { ...QUIET, name: 'herd', description: '64 isolates that hear of each other every 10 seconds', isolates: 64, syncMs: 10_000 },
  fault('poisoned', 'three cheap endpoints fail one long prompt of five', (fleet, window, random) =>
    withSpells(fleet, favourites(fleet, { others: 2, pool: 4 }, random), {
      ...window,
      fault: { kind: 'error', status: 500 },
      share: 0.2,
      promptTokensMin: LONG_PROMPT_TOKENS,
    }),
  ),
  fault('liar', 'two cheap endpoints answer half of their requests with two fast tokens and silence', (fleet, window, random) =>
    withSpells(fleet, favourites(fleet, { others: 1, pool: 4 }, random), { ...window, fault: { kind: 'stall' }, share: 0.5 }),
  ),
  fault(
    'hollow',
    'two cheap endpoints open every stream with an empty chunk, and say something four seconds later',
    (fleet, window, random) =>
      withSpells(fleet, favourites(fleet, { others: 1, pool: 4 }, random), { ...window, fault: { kind: 'hollow', delayMs: HOLLOW_MS } }),
  ),
  fault('retry-after-abuse', 'five cheap endpoints refuse a tenth with an absurd Retry-After', (fleet, window, random) =>
    favourites(fleet, { others: 4, pool: 7 }, random).reduce(
      (hit, endpoint, place) =>
        withSpells(hit, [endpoint], {
          ...window,
          fault: { kind: 'refuse', retryAfterMs: ABSURD_RETRY_AFTER_MS[place] ?? null },
          share: 0.1,
        }),
      fleet,
    ),
  ),
  fault(
    'probe-cheat',
    'two cheap endpoints answer probes well, and traffic six times as slowly with a fifth failing',
    (fleet, window, random) => {
      const cheats = favourites(fleet, { others: 1, pool: 4 }, random);
      const slow = withSpells(fleet, cheats, { ...window, fault: { kind: 'slow', factor: 6, rampMs: 0 }, sparesCanaries: true });
      return withSpells(slow, cheats, { ...window, fault: { kind: 'error', status: 500 }, share: 0.2, sparesCanaries: true });
    },
  ),
];

/** Copies of the first machine of one's own in place of all miners, cheap and small; what is larger stays. */
function smallNodes(fleet: Fleet): Fleet {
  const model = fleet.endpoints.find(({ supply }) => supply === 'selfhosted');
  if (model === undefined) return fleet;
  const nodes = Array.from({ length: FULL_NODES }, (_, place): SimEndpoint => {
    return { ...model, id: `${model.id}-${place + 1}`, operatorId: `node-${place + 1}`, poolTokens: FULL_POOL_TOKENS };
  });
  const stay = fleet.endpoints.filter(({ supply }) => supply === 'centralized');
  const isThere = ({ endpointId }: { endpointId: string }): boolean => stay.some(({ id }) => id === endpointId);
  return {
    ...fleet,
    endpoints: [...nodes, ...stay],
    spells: fleet.spells.filter(isThere),
    prices: fleet.prices.filter(isThere),
    listings: fleet.listings.filter(isThere),
  };
}

function lengthened(requests: readonly SimRequest[]): SimRequest[] {
  return requests.map((request) => {
    const promptTokens = Math.max(request.promptTokens, Math.min(FULL_PROMPT_TOKENS_MAX, FULL_PROMPT_FACTOR * request.promptTokens));
    return { ...request, promptTokens };
  });
}

function churn(fleet: Fleet, { fromMs, untilMs }: Window, random: Random): Fleet {
  const miners = fleet.endpoints.filter(({ supply }) => supply === 'subnet');
  const comings = (endpoint: SimEndpoint): Spell[] => {
    const spells: Spell[] = [];
    for (let atMs = fromMs + random() * CHURN_UP_MS; atMs < untilMs;) {
      const backAtMs = Math.min(untilMs, atMs - CHURN_DOWN_MS * Math.log(1 - random()));
      spells.push({ endpointId: endpoint.id, fromMs: atMs, untilMs: backAtMs, fault: { kind: 'unreachable' }, share: 1 });
      atMs = backAtMs - CHURN_UP_MS * Math.log(1 - random());
    }
    return spells;
  };
  const [newcomer] = draw(miners, 1, random);
  return {
    ...fleet,
    spells: [...miners.flatMap(comings), ...fleet.spells],
    listings: newcomer === undefined ? fleet.listings : [...fleet.listings, { endpointId: newcomer.id, atMs: fromMs, isListed: true }],
  };
}

function priceWar(fleet: Fleet, { fromMs, untilMs }: Window, random: Random): PriceChange[] {
  const changes: PriceChange[] = [];
  const fighters = byPrice(fleet).slice(0, 8);
  for (let atMs = fromMs; atMs < untilMs; atMs += PRICE_MOVE_MS) {
    const [fighter] = draw(fighters, 1, random);
    if (fighter === undefined) break;
    const factor = 0.5 + random();
    const { price } = fighter;
    changes.push({
      endpointId: fighter.id,
      atMs,
      price: {
        ...price,
        promptPicoUsdPerToken: Math.round(price.promptPicoUsdPerToken * factor),
        completionPicoUsdPerToken: Math.round(price.completionPicoUsdPerToken * factor),
      },
    });
  }
  return changes;
}
