const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/** Follows JSON text as it grows, reading each character once. */
export interface Nesting {
  add(text: string): void;
  /** Tells whether what was opened first has been closed. */
  isClosed(): boolean;
}

/** Creates the nesting of a text of which nothing has been read. */
export function createNesting(): Nesting {
  let depth = 0;
  let inString = false;
  let escaped = false;
  let closed = false;

  const read = (code: number): void => {
    if (escaped) escaped = false;
    else if (code === BACKSLASH) escaped = inString;
    else if (code === QUOTE) inString = !inString;
    else if (inString) return;
    else if (OPENING.has(code)) depth += 1;
    else if (CLOSING.has(code)) {
      depth -= 1;
      closed ||= depth === 0;
    }
  };
  return {
    add(text) {
      for (let at = 0; at < text.length; at++) read(text.charCodeAt(at));
    },
    isClosed: () => closed,
  };
}
