/** Texts that are hard to cut, in tokens that end anywhere. */
import { seededRandom } from '#test/support/random-chunks';

/** Words, white space of all kinds, and characters of one to four bytes, in tokens that end anywhere. */
const PIECES = [
  'Water',
  ' runs',
  ' down',
  '\n\n',
  '\n',
  '  ',
  ' über',
  ' die',
  ' Wehre',
  '水',
  'は',
  '🌊',
  '👩‍👧',
  ' {"a":',
  ' 1}',
  '.',
  ',',
  '\t',
  '"',
  '\\',
];

/** A text of some tokens; every third cut falls wherever it likes, also between the halves of a character. */
export function tokensOf(seed: number): string[] {
  const random = seededRandom(seed);
  const text = Array.from({ length: 4 + Math.floor(random() * 24) }, () => PIECES[Math.floor(random() * PIECES.length)]).join('');
  const tokens: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + 1 + Math.floor(random() * 6);
    tokens.push(text.slice(at, end));
    at = end;
  }
  return tokens;
}

/** Tells whether a text ends in the first half of a surrogate pair. */
export function endsInHalf(text: string | null | undefined): boolean {
  return /[\uD800-\uDBFF]$/.test(text ?? '');
}
