/** Stop sequences that begin in what one upstream delivered and end in what the next one says: neither of them sees the whole. */

export interface StraddleGuard {
  /** The next piece of text as far as it may go out, and the stop sequence that it completes. A piece that may be part of one is held back. */
  pass(piece: string): { text: string; stop: string | null };
  /** What is held back, at the end of the answer. */
  rest(): string;
}

/** Watches the text that follows `delivered`. Stop sequences that lie in it as a whole are the upstream's own business. */
export function createStraddleGuard(stops: readonly string[], delivered: string): StraddleGuard {
  /** Stop sequences that the delivered text ends in the beginning of, with what is missing of them. */
  let open = stops.flatMap((stop) => missingParts(stop, delivered).map((missing) => ({ stop, missing })));
  let held = '';
  return {
    pass(piece) {
      if (open.length === 0) return { text: piece, stop: null };
      held += piece;
      const met = open.find(({ missing }) => held.startsWith(missing));
      if (met !== undefined) return { text: '', stop: met.stop };
      open = open.filter(({ missing }) => missing.startsWith(held));
      const text = open.length === 0 ? held : '';
      if (open.length === 0) held = '';
      return { text, stop: null };
    },
    rest: () => held,
  };
}

function missingParts(stop: string, delivered: string): string[] {
  const parts: string[] = [];
  for (let known = Math.min(stop.length - 1, delivered.length); known > 0; known--) {
    if (delivered.endsWith(stop.slice(0, known))) parts.push(stop.slice(known));
  }
  return parts;
}
