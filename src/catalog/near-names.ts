/** "Did you mean": names that a mistyped one is close to. */

const NAMES_MAX = 3;
/** Longer names are not worth the comparison. */
const LENGTH_MAX = 80;
/** More edits than this are another name, however long it is. */
const EDITS_MAX = 5;
/** Names compared at most, so that a miss costs little in a large catalogue. */
const COMPARED_MAX = 5_000;

/** Counts edits (insert, delete, replace) between two names; stops early and answers `limit + 1` when there are more. */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replace = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replace, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    if (Math.min(...current) > limit) return limit + 1;
    previous = current;
  }
  return previous[to.length] ?? limit + 1;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Picks up to three names closest to a wrong one: few edits, with or without the author part, or one inside the other. */
export function nearNames(wrong: string, names: Iterable<string>): string[] {
  const wanted = wrong.toLowerCase();
  if (wanted.length > LENGTH_MAX) return [];
  const limit = Math.min(EDITS_MAX, Math.max(2, Math.floor(wanted.length / 4)));
  const found: { name: string; distance: number }[] = [];
  let compared = 0;
  for (const name of names) {
    if (++compared > COMPARED_MAX) break;
    const candidate = name.toLowerCase();
    const whole = editDistance(wanted, candidate, limit);
    const distance = wanted.includes('/') ? whole : Math.min(whole, editDistance(wanted, lastPart(candidate), limit));
    if (distance <= limit) found.push({ name, distance });
    else if (wanted.length >= 4 && candidate.includes(wanted)) found.push({ name, distance: limit + 1 });
  }
  return found
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, NAMES_MAX)
    .map(({ name }) => name);
}
