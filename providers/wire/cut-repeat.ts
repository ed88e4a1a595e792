/** Takes off the beginning of a growing text what its reader has already. */
export interface RepeatCutter {
  /** The next piece, without what it repeats; empty while all of it might be repetition. */
  cut(piece: string): string;
}

/** Creates the cutter of `repeated`. A text that begins otherwise passes unchanged. */
export function createRepeatCutter(repeated: string): RepeatCutter {
  let matched = 0;
  let isOver = repeated === '';
  return {
    cut(piece) {
      if (isOver) return piece;
      let at = 0;
      while (at < piece.length && matched < repeated.length && piece[at] === repeated[matched]) {
        at += 1;
        matched += 1;
      }
      if (matched < repeated.length && at === piece.length) return '';
      isOver = true;
      // Earlier pieces were held back: where this one shows that they repeat nothing, they come with it.
      return matched === repeated.length ? piece.slice(at) : repeated.slice(0, matched - at) + piece;
    },
  };
}
