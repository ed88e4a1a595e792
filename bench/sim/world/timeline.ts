/** What is wrong with each endpoint at each instant, and what it costs: the fleet's spells and price changes, laid out to be asked quickly. */
import type { Price } from '#schema/money';
import type { Fault, Fleet, SimEndpoint, Spell } from '../contract.ts';

/** Spells are looked up by the piece of time that they touch. */
const PIECE_MS = 60_000;

/** What an attempt meets. `slowFactor` applies to TTFT and TPOT; `fault` is the first of the others that hits, or null. */
export interface Weather {
  slowFactor: number;
  fault: Exclude<Fault, { kind: 'slow' }> | null;
}

export interface Timeline {
  /** Draws what one attempt meets; takes one number for every spell that could hit it. */
  meet(endpointId: string, attempt: { atMs: number; promptTokens: number; isCanary: boolean; random: () => number }): Weather;
  /** The spells that touch an instant. */
  spellsAt(endpointId: string, atMs: number): readonly Spell[];
  priceAt(endpointId: string, atMs: number): Price;
  isListedAt(endpointId: string, atMs: number): boolean;
  /** The instants at which the catalogue changes, ascending. */
  catalogueChangesMs: readonly number[];
}

/** Lays a fleet's history out. Throws for spells, prices or listings of endpoints that it does not have. */
export function createTimeline(fleet: Fleet): Timeline {
  const tracks = new Map(fleet.endpoints.map((endpoint) => [endpoint.id, createTrack(endpoint)]));
  const trackOf = (endpointId: string): Track => {
    const track = tracks.get(endpointId);
    if (track === undefined) throw new Error(`the fleet has no endpoint '${endpointId}'`);
    return track;
  };
  for (const spell of fleet.spells) addSpell(trackOf(spell.endpointId), spell);
  for (const change of fleet.prices.toSorted(byTime)) trackOf(change.endpointId).prices.push(change);
  for (const change of fleet.listings.toSorted(byTime)) trackOf(change.endpointId).listings.push(change);

  const spellsAt = (endpointId: string, atMs: number): readonly Spell[] =>
    (trackOf(endpointId).pieces.get(pieceOf(atMs)) ?? []).filter((spell) => spell.fromMs <= atMs && atMs < spell.untilMs);

  return {
    spellsAt,
    meet(endpointId, { atMs, promptTokens, isCanary, random }) {
      const met: Weather = { slowFactor: 1, fault: null };
      for (const spell of spellsAt(endpointId, atMs)) {
        const isHit =
          random() < spell.share && promptTokens >= (spell.promptTokensMin ?? 0) && !(isCanary && spell.sparesCanaries === true);
        if (!isHit) continue;
        if (spell.fault.kind === 'slow') met.slowFactor *= slowFactorAt(spell.fault, atMs - spell.fromMs);
        else met.fault ??= spell.fault;
      }
      return met;
    },
    priceAt(endpointId, atMs) {
      const { endpoint, prices } = trackOf(endpointId);
      return prices.findLast((change) => change.atMs <= atMs)?.price ?? endpoint.price;
    },
    isListedAt(endpointId, atMs) {
      const { listings } = trackOf(endpointId);
      const last = listings.findLast((change) => change.atMs <= atMs);
      return last === undefined ? listings[0]?.isListed !== true : last.isListed;
    },
    catalogueChangesMs: [...new Set([...fleet.prices, ...fleet.listings].map(({ atMs }) => atMs))].sort((a, b) => a - b),
  };
}

/** How slow a slowness is, so long after its start. */
export function slowFactorAt({ factor, rampMs }: Fault & { kind: 'slow' }, sinceMs: number): number {
  return 1 + (factor - 1) * (rampMs > 0 ? Math.min(1, sinceMs / rampMs) : 1);
}

interface Track {
  endpoint: SimEndpoint;
  pieces: Map<number, Spell[]>;
  prices: Fleet['prices'][number][];
  listings: Fleet['listings'][number][];
}

function createTrack(endpoint: SimEndpoint): Track {
  return { endpoint, pieces: new Map(), prices: [], listings: [] };
}

function addSpell({ pieces }: Track, spell: Spell): void {
  if (!(spell.untilMs > spell.fromMs)) return;
  for (let piece = pieceOf(spell.fromMs); piece * PIECE_MS < spell.untilMs; piece++) {
    const touching = pieces.get(piece);
    if (touching === undefined) pieces.set(piece, [spell]);
    else touching.push(spell);
  }
}

function pieceOf(atMs: number): number {
  return Math.max(0, Math.floor(atMs / PIECE_MS));
}

function byTime(a: { atMs: number }, b: { atMs: number }): number {
  return a.atMs - b.atMs;
}
