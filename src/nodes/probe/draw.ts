/** Draws from lists. `random` is uniform in [0, 1). */

/** Draws one of a list. */
export function draw<Item>(items: readonly [Item, ...Item[]], random: () => number): Item {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** Draws several different ones of a list, or all of a shorter one, in random order. */
export function drawSome<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}

/** Draws a whole number from `least` to `most`. */
export function drawCount(least: number, most: number, random: () => number): number {
  return Math.min(most, least + Math.floor(random() * (most - least + 1)));
}
