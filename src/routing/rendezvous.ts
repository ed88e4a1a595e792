/** Weighted rendezvous hashing: all who know the same weights name the same home for a key, and a change of one moves only its own share. */

/**
 * Scores how much a key belongs to an endpoint: −w/ln(u) with u in (0, 1) drawn by the hash of both. The highest score is the home;
 * each endpoint wins keys in proportion to its weight. Schindelhauer and Schomaker 2005.
 */
export function rendezvousScore(seed: number, endpointId: string, weight: number): number {
  return -weight / Math.log((hash32(endpointId, seed) + 0.5) / 2 ** 32);
}

/** Hashes a text to 32 bits; different seeds give independent hashes. FNV-1a, finished as MurmurHash3 is. */
export function hash32(text: string, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
