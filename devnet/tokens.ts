/** The devnet's tokenizer: about four characters a token, the same for streams and whole answers. */

/** What an image of a prompt counts for, as that much text. */
export const IMAGE_TEXT = ' '.repeat(1024);

/** Splits text into tokens of at most five letters, each with the space before it. Joined, they give the text back. */
export function splitTokens(text: string): string[] {
  return text.match(/\s?\S{1,5}|\s/gu) ?? [];
}

/** Groups tokens into words; a word starts at white space. Joined, they give the text back. */
export function toWords(tokens: readonly string[]): string[][] {
  const words: string[][] = [];
  for (const token of tokens) {
    const word = words.at(-1);
    if (word === undefined || /^\s/u.test(token)) words.push([token]);
    else word.push(token);
  }
  return words;
}

/** Counts prompt tokens at four characters each, rounded up: prompts may be large, so they are measured, not split. */
export function countPromptTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
