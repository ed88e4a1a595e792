/** Ids of requests. The time stands in the id, so ids sort by age and a reader can tell a fresh one from an old one. */

const TIME_DIGITS = 9;
const RANDOM_DIGITS = 8;
const RANDOM_SPACE = 36 ** RANDOM_DIGITS;
const PATTERN = /^gen-([0-9a-z]{9})-[0-9a-z]{16}$/;

/** Draws the next number in [0, 1). */
export type Random = () => number;

/** Makes `gen-<epoch ms, base 36, 9 digits>-<16 random base-36 digits>`; 82 random bits, sortable by time until year 5188. */
export function newGenerationId(nowMs: number, random: Random): string {
  return `gen-${nowMs.toString(36).padStart(TIME_DIGITS, '0')}-${digits(random)}${digits(random)}`;
}

/** Reads the epoch milliseconds at which an id was made; null for anything that is not one of our ids. */
export function generationTimeMs(id: string): number | null {
  const time = PATTERN.exec(id)?.[1];
  return time === undefined ? null : Number.parseInt(time, 36);
}

function digits(random: Random): string {
  return Math.floor(random() * RANDOM_SPACE)
    .toString(36)
    .padStart(RANDOM_DIGITS, '0');
}
