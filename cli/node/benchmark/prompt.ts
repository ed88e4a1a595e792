/** Prompts for measuring: plain words in a new order each time, so that no prefix cache helps. */

const WORDS =
  'water stone river mill wheel channel gate spring valley bridge timber field garden window market letter summer winter morning evening paper silver copper branch forest cloud'.split(
    ' ',
  );

/** Writes so many words, about one token each, and a task that keeps a model talking. `random` is uniform in [0, 1). */
export function writePrompt(words: number, random: () => number): string {
  const picked = Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]);
  return `${picked.join(' ')}\n\nTell a long story with these words.`;
}
