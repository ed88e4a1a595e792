/**
 * Chance that belongs to the world: every draw is named by what it is for, never by how many came before it,
 * so that all policies of one seed meet the same weather and the same luck.
 */
import { createRandom, hashText, type Random } from '#devnet/random';

export type { Random } from '#devnet/random';

/** Opens the stream of random numbers that belongs to these names. */
export function chanceOf(seed: number, ...names: readonly (string | number)[]): Random {
  let hash = mix(seed >>> 0);
  for (const name of names) hash = mix(typeof name === 'number' ? hash ^ Math.imul(name + 1, 0x9e3779b1) : hashText(name, hash));
  return createRandom(hash);
}

/** Draws from a lognormal distribution by its median and log-scale deviation. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** Draws from the standard normal distribution (Box–Muller). Always takes two numbers. */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** Draws a time to the next event of a process without memory. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Spreads the bits of a 32-bit integer (MurmurHash3's finalizer). */
function mix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
