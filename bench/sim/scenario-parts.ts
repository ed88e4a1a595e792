/** What scenarios are made of: windows of trouble, choices of endpoints, spells. */
import type { Fault, Fleet, SimEndpoint, SimRequest, Spell } from './contract.ts';

/** Trouble begins after a warm-up and ends long before the run does, so that detection and recovery both show. */
const TROUBLE_FROM = 0.3;
const TROUBLE_UNTIL = 0.6;
/** How long a flash crowd stays, and how many times the ordinary traffic it is. */
const SURGE_MS = 60_000;
const SURGE_FACTOR = 5;
/** The usual shape of a request, to compare prices by: Azure's conversations have 1,155 tokens in and 211 out on average. */
const USUAL_PROMPT_TOKENS = 1_155;
const USUAL_OUTPUT_TOKENS = 211;

export interface Window {
  fromMs: number;
  untilMs: number;
}

export type Random = () => number;

/** The window in which something is broken on purpose. */
export function troubleWindow(durationMs: number): Window {
  return { fromMs: TROUBLE_FROM * durationMs, untilMs: TROUBLE_UNTIL * durationMs };
}

/** The window of a flash crowd; in short runs it stays for a tenth of them. */
export function surgeWindow(durationMs: number): Window {
  const fromMs = TROUBLE_FROM * durationMs;
  return { fromMs, untilMs: fromMs + Math.min(SURGE_MS, 0.1 * durationMs) };
}

/** The endpoints from cheap to dear: trouble in what nobody uses is none. */
export function byPrice({ endpoints }: Fleet): SimEndpoint[] {
  return endpoints.toSorted((a, b) => usualCost(a) - usualCost(b) || (a.id < b.id ? -1 : 1));
}

function usualCost({ price }: SimEndpoint): number {
  return USUAL_PROMPT_TOKENS * price.promptPicoUsdPerToken + USUAL_OUTPUT_TOKENS * price.completionPicoUsdPerToken;
}

/** Draws `count` of a list, without repeating any. */
export function draw<T>(list: readonly T[], count: number, random: Random): T[] {
  const left = [...list];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(random() * left.length), 1)[0] as T);
}

/** The cheapest endpoint, and `others` drawn from the `pool` cheapest after it. */
export function favourites(fleet: Fleet, { others, pool }: { others: number; pool: number }, random: Random): SimEndpoint[] {
  const [cheapest, ...rest] = byPrice(fleet);
  return cheapest === undefined ? [] : [cheapest, ...draw(rest.slice(0, pool), others, random)];
}

/** Adds the same trouble to several endpoints, before what the fleet has to bear already. */
export function withSpells(
  fleet: Fleet,
  endpoints: readonly SimEndpoint[],
  spell: Window & { fault: Fault; share?: number } & Partial<Pick<Spell, 'promptTokensMin' | 'sparesCanaries'>>,
): Fleet {
  const spells = endpoints.map(({ id }): Spell => ({ share: 1, ...spell, endpointId: id }));
  return { ...fleet, spells: [...spells, ...fleet.spells] };
}

/** Multiplies the traffic within a window by sending its requests again at other instants of it. */
export function surge(requests: readonly SimRequest[], { fromMs, untilMs }: Window, random: Random): SimRequest[] {
  const within = requests.filter(({ arrivedAtMs }) => arrivedAtMs >= fromMs && arrivedAtMs < untilMs);
  const copies = within.flatMap((request) =>
    Array.from({ length: SURGE_FACTOR - 1 }, () => ({ ...request, arrivedAtMs: fromMs + random() * (untilMs - fromMs) })),
  );
  return [...requests, ...copies].sort((a, b) => a.arrivedAtMs - b.arrivedAtMs).map((request, id) => ({ ...request, id }));
}
