/** How many tokens of an answer a client has got: as its upstreams say while they go, else as the pieces show in which they speak. */
import { countTokens } from '#schema/count-tokens';
import type { ReplyChunk } from '#schema/reply';

/** Tokens that an upstream may count beside those of the characters that came. */
const UNSEEN_TOKENS = 16;
/** Pieces no longer than this on the mean, in UTF-16 units, are a token each; one beside them may be a long word. */
const TOKEN_CHARS_MEAN = 8;

/** Counts what is said of one answer. What has been heard may still be on its way to the client; what is settled has got there. */
export interface TokenCount {
  /** Notes what an upstream says, before anything of it is held back or left out. */
  hear(chunk: ReplyChunk): void;
  /** Notes the usage so far that a chunk brought, if any, once the text of the answer has `chars` UTF-16 units with it. */
  report(chunk: ReplyChunk, chars: number): void;
  /** All that has been heard lies in the beginning of the answer. */
  settle(): void;
  /** All that was heard before the last chunk does. */
  settleBefore(): void;
  /** Another upstream goes on behind `beginning`. What was heard and not settled is forgotten: it will be said again. */
  restart(beginning: string): void;
  /** Completion tokens up to the end of `beginning`. A token of which only a part lies in there is none yet. */
  upTo(beginning: string): number;
}

/** Tokens that somebody has counted, up to a place in the text, and what was heard since. */
interface Heard {
  tokens: number;
  chars: number;
  pieces: number;
  /** Our estimate of the thoughts among them. */
  thoughtTokens: number;
}

const NOTHING: Heard = { tokens: 0, chars: 0, pieces: 0, thoughtTokens: 0 };

/**
 * Starts with an answer of which nothing has been heard. Engines that look out for stop sequences keep back up to `heldCharsMax` characters
 * which might become one; they report the tokens of those, and so as many more than they have shown, before the first piece of text.
 */
export function createTokenCount(heldCharsMax: number): TokenCount {
  let heard: Heard = NOTHING;
  let heardBefore: Heard = heard;
  let settled: Heard = heard;
  let tokensBefore = 0;
  /** Of the upstream that answers now. */
  let pieces = 0;
  let chars = 0;
  let reported = 0;
  let heldTokens = 0;

  function upTo(beginning: string): number {
    const { tokens, chars: place, pieces: since, thoughtTokens } = settled;
    if (chars <= TOKEN_CHARS_MEAN * (pieces + 1)) return tokens + since;
    return tokens + Math.max(since, Math.ceil(thoughtTokens + countTokens(beginning.slice(place))));
  }

  return {
    hear({ choices }) {
      heardBefore = heard;
      for (const { delta } of choices) {
        const { content, reasoning } = delta ?? {};
        const said = (content?.length ?? 0) + (reasoning?.length ?? 0);
        if (said === 0) continue;
        pieces += 1;
        chars += said;
        const thoughtTokens = reasoning ? heard.thoughtTokens + countTokens(reasoning) : heard.thoughtTokens;
        heard = { tokens: heard.tokens, chars: heard.chars, pieces: heard.pieces + 1, thoughtTokens };
      }
    },
    report({ usage }, place) {
      if (usage === null) return;
      const { completionTokens } = usage;
      if (chars === 0) heldTokens = Math.min(completionTokens, heldCharsMax);
      // A count that stands still is no running one.
      if (chars === 0 || completionTokens <= reported) return;
      reported = completionTokens;
      heard = { ...NOTHING, tokens: tokensBefore + Math.min(reported - heldTokens, chars + UNSEEN_TOKENS), chars: place };
    },
    settle() {
      settled = heard;
    },
    settleBefore() {
      settled = heardBefore;
    },
    restart(beginning) {
      tokensBefore = upTo(beginning);
      heard = { ...NOTHING, tokens: tokensBefore, chars: beginning.length };
      heardBefore = heard;
      settled = heard;
      pieces = 0;
      chars = 0;
      reported = 0;
      heldTokens = 0;
    },
    upTo,
  };
}
