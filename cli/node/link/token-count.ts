/** Counts the tokens that engines say they have written, from the end of an answer: usage comes last. */

/** More than a usage trailer and `[DONE]` take. */
const TAIL_BYTES = 2_048;

export interface TokenCount {
  /** Takes the next bytes of an answer. */
  add(bytes: Uint8Array): void;
  /** Reads the number of tokens; 0 where the engine has not said. */
  read(): number;
}

/** Starts a count. Keeps the last 2 KiB of an answer, to whole pieces, and nothing else. */
export function createTokenCount(): TokenCount {
  const last: Uint8Array[] = [];
  let sizeBytes = 0;
  return {
    add(bytes) {
      last.push(bytes);
      sizeBytes += bytes.length;
      for (let [first] = last; first !== undefined && sizeBytes - first.length >= TAIL_BYTES; [first] = last) {
        sizeBytes -= first.length;
        last.shift();
      }
    },
    read() {
      const tail = Buffer.concat(last).subarray(-TAIL_BYTES).toString('utf8');
      const found = [...tail.matchAll(/"completion_tokens"\s*:\s*(\d{1,9})/g)].at(-1)?.[1];
      return found === undefined ? 0 : Number(found);
    },
  };
}
