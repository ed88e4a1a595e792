/** Ways to choose one of several. */

/** Draws one item uniformly; undefined only of nothing. */
export function drawOne<Item>(items: readonly Item[], random: () => number): Item | undefined {
  return items[Math.floor(random() * items.length)];
}

/** Draws one item with these weights; the last where rounding eats the rest. */
export function drawWeighted<Item>(items: readonly Item[], weightOf: (item: Item) => number, random: () => number): Item | undefined {
  const weights = items.map(weightOf);
  let rest = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [place, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return items[place];
  }
  return items.at(-1);
}

/** Finds the items with the least score, all of them where several share it. */
export function leastOf<Item>(items: readonly Item[], scoreOf: (item: Item) => number): Item[] {
  let least = Infinity;
  let found: Item[] = [];
  for (const item of items) {
    const score = scoreOf(item);
    if (score < least) {
      least = score;
      found = [item];
    } else if (score === least) found.push(item);
  }
  return found;
}

/** Draws two different items, or the only one twice (power of two choices without replacement). */
export function drawTwo<Item>(items: readonly Item[], random: () => number): [Item, Item] | null {
  const first = Math.floor(random() * items.length);
  const other = items.length < 2 ? first : (first + 1 + Math.floor(random() * (items.length - 1))) % items.length;
  const [left, right] = [items[first], items[other]];
  return left === undefined || right === undefined ? null : [left, right];
}
