/** What is remembered of streams that are over: frames that were on their way then are no offence. */

/** Streams remembered at most; whoever sends frames for older ones is late beyond any delay of a network. */
const ENDED_MAX = 2_048;

/** Remembers how many bytes an honest node may still have had on the way when each of the last streams ended. */
export class EndedStreams {
  readonly #allowanceBytes = new Map<number, number>();

  add(stream: number, allowanceBytes: number): void {
    this.#allowanceBytes.set(stream, allowanceBytes);
    if (this.#allowanceBytes.size <= ENDED_MAX) return;
    for (const oldest of this.#allowanceBytes.keys()) {
      this.#allowanceBytes.delete(oldest);
      return;
    }
  }

  /** Takes a late frame off what its stream may still say. False: no honest node sends it. */
  forgive(stream: number, bytes: number): boolean {
    const leftBytes = (this.#allowanceBytes.get(stream) ?? -1) - bytes;
    if (leftBytes < 0) return false;
    this.#allowanceBytes.set(stream, leftBytes);
    return true;
  }
}
