/** Turns tokens into text that may be sent: whole characters, and nothing of a stop word. */
import type { Token } from './library.ts';

/** Bytes of the longest character in UTF-8, and so the tokens that one can be spread over. */
const CHARACTER_TOKENS_MAX = 4;
const INCOMPLETE = '\uFFFD';
/** Tokens before a piece that the tokenizer looks at, to know whether it starts a text. */
const LOOK_BACK_TOKENS = 8;

export interface Speech {
  /** Takes a token and gives the text that is certain now. */
  say(token: Token): { text: string; stopped: boolean };
  /** Gives what was kept back when nothing more comes. */
  rest(): string;
}

/** Creates the speech of one answer. */
export function createSpeech(
  detokenize: (tokens: readonly Token[], before: readonly Token[]) => string,
  stopWords: readonly string[],
): Speech {
  let unsaid: Token[] = [];
  let before: Token[] = [];
  let kept = '';

  const decode = (): string => {
    const text = detokenize(unsaid, before);
    if (text.endsWith(INCOMPLETE) && unsaid.length < CHARACTER_TOKENS_MAX) return '';
    before = [...before, ...unsaid].slice(-LOOK_BACK_TOKENS);
    unsaid = [];
    return text;
  };

  return {
    say(token) {
      unsaid.push(token);
      kept += decode();
      const stops = stopWords.map((word) => kept.indexOf(word)).filter((place) => place >= 0);
      const end = stops.length > 0 ? Math.min(...stops) : kept.length - lengthOfBeginning(kept, stopWords);
      const text = kept.slice(0, end);
      kept = stops.length > 0 ? '' : kept.slice(end);
      if (stops.length > 0) unsaid = [];
      return { text, stopped: stops.length > 0 };
    },
    rest() {
      const text = kept + (unsaid.length > 0 ? detokenize(unsaid, before) : '');
      [kept, unsaid] = ['', []];
      return text;
    },
  };
}

/** Measures the longest end of a text that a stop word could begin with. */
function lengthOfBeginning(text: string, stopWords: readonly string[]): number {
  const lengths = stopWords.map((word) => {
    for (let length = Math.min(word.length - 1, text.length); length > 0; length -= 1)
      if (text.endsWith(word.slice(0, length))) return length;
    return 0;
  });
  return Math.max(0, ...lengths);
}
