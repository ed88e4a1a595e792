/** Finds what somebody probably meant. */

/** Counts the edits (insert, delete, replace, swap neighbours) between two short words. */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (rows[i - 1]?.[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1] ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : replaced;
      row.push(Math.min(replaced, swapped, (rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    rows.push(row);
  }
  return rows[left.length]?.[right.length] ?? 0;
}

/** Longer words are nobody's typing slip, and would make the search slow. */
const WORD_LENGTH_MAX = 80;
/** Words compared at most, so that fifty slips in a large manifest cost little. */
const COMPARED_MAX = 1000;

/** Returns the known word that differs from `word` by at most a third of its letters; undefined when none is that near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const editsMax = Math.max(1, Math.floor(word.length / 3));
  let best: { candidate: string; distance: number } | undefined;
  let compared = 0;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > editsMax) continue;
    if (++compared > COMPARED_MAX) break;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= editsMax && distance < (best?.distance ?? Infinity)) best = { candidate, distance };
  }
  return best?.candidate;
}
