/** Says what is wrong with a question to the capacity model, in words for whoever asked. Thrown by everything in this folder, and by nothing else. */
export class CapacityProblem extends Error {
  /** Further lines, such as the names that are known; the message alone must suffice. */
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'CapacityProblem';
    this.details = details;
  }
}

/** Says that a name is unknown: the nearest one, which may be an alias, and all known ones as a detail. */
export function unknownName(subject: string, name: string, known: readonly string[], aliases: readonly string[] = []): CapacityProblem {
  const near = nearest(name, [...known, ...aliases]);
  const hint = near === null ? '' : `; did you mean '${near}'?`;
  return new CapacityProblem(`unknown ${subject} '${name.slice(0, 80)}'${hint}`, [`known are ${known.join(', ')}`]);
}

/** Finds the known name with the fewest edits, null when every one is further than a third of its length. */
function nearest(name: string, known: readonly string[]): string | null {
  const wanted = name.toLowerCase().slice(0, 80);
  let best: { name: string; edits: number } | null = null;
  for (const candidate of known) {
    // Names are often given without their author.
    for (const form of [candidate.toLowerCase(), candidate.toLowerCase().replace(/^.*\//, '')]) {
      const edits = countEdits(wanted, form);
      if (edits <= Math.ceil(form.length / 3) && edits < (best?.edits ?? Infinity)) best = { name: candidate, edits };
    }
  }
  return best?.name ?? null;
}

/** Counts insertions, deletions and replacements between two texts (Levenshtein). */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of from.split('').entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
