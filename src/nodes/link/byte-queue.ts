/** Bytes in the order in which they came, kept in one piece of memory however small the pieces were. */

const FIRST_BYTES = 4 * 1024;

/** A queue of bytes. It grows by doubling, and lets its memory go once it is empty. */
export class ByteQueue {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  push(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Takes up to `bytesMax` bytes from the front; nobody else holds them. */
  take(bytesMax: number): Uint8Array<ArrayBuffer> {
    const taken = this.#buffer.slice(this.#from, Math.min(this.#to, this.#from + bytesMax));
    this.#from += taken.length;
    if (this.length === 0) this.clear();
    return taken;
  }

  clear(): void {
    this.#buffer = new Uint8Array(0);
    this.#from = 0;
    this.#to = 0;
  }

  #makeRoom(bytes: number): void {
    const { length } = this;
    const needed = length + bytes;
    let size = Math.max(this.#buffer.length, FIRST_BYTES);
    while (size < needed) size *= 2;
    const moved = size > this.#buffer.length ? new Uint8Array(size) : this.#buffer;
    if (moved === this.#buffer) moved.copyWithin(0, this.#from, this.#to);
    else moved.set(this.#buffer.subarray(this.#from, this.#to));
    this.#buffer = moved;
    this.#from = 0;
    this.#to = length;
  }
}
