/** What a node says of its own load: kept with the instant of its word, and gone by for fifteen seconds. */
import type { NodeLoad } from '#schema/node-service';
import { NODE_LOAD_FRESH_MS } from '#schema/node-load-report';
import { elapsedMs, isPending } from './timers.ts';

/** A node's word and when it was said. */
export interface HeardLoad extends NodeLoad {
  atMs: number;
}

/** Chooses the later of two words; one from the future, which a clock left behind that has jumped back, is no word. */
export function laterLoad(known: HeardLoad | null, heard: HeardLoad | null, nowMs: number): HeardLoad | null {
  if (known === null || heard === null) return heard ?? known;
  return known.atMs > heard.atMs && known.atMs <= nowMs ? known : heard;
}

/** Reads a node's word with its age, ms; null once it is too old to count: then the load is unknown. */
export function freshLoad(heard: HeardLoad | null, nowMs: number): (NodeLoad & { ageMs: number }) | null {
  if (heard === null || !isPending(freshUntilMs(heard), nowMs, NODE_LOAD_FRESH_MS)) return null;
  const { running, waiting, kvUsage, atMs } = heard;
  return { running, waiting, kvUsage, ageMs: elapsedMs(atMs, nowMs) };
}

/** The instant from which a node's word counts no more. */
export function freshUntilMs({ atMs }: HeardLoad): number {
  return atMs + NODE_LOAD_FRESH_MS;
}
