/** Reads long text files line by line, gzipped or not, in bounded memory and with progress. */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';

const GZIP_MAGIC = 0x1f8b; // RFC 1952, 2.3.1
const TELL_EVERY_LINES = 200_000;
const LINE_CHARACTERS_MAX = 4_000_000; // the longest honest line so far is a prompt of 250 blocks

/** One line without its end; `number` counts from 1. */
export interface TextLine {
  number: number;
  text: string;
}

/** Says how far a file has been read: share of its bytes in [0, 1]. */
export type TellReading = (file: string, share: number) => void;

/**
 * Yields every line that is not blank; a byte order mark is dropped, CRLF is a line end.
 * Throws an Error with a one-line message when the file can't be read or a line is too long to be text.
 */
export async function* readLines(file: string, tell: TellReading = () => {}): AsyncGenerator<TextLine> {
  const sizeBytes = sizeOf(file);
  let readBytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      readBytes += chunk.length;
      done(null, chunk);
    },
  });
  const raw = createReadStream(file);
  const unpacked = isGzip(file) ? counter.pipe(createGunzip()) : counter;
  const lines = createInterface({ input: unpacked, crlfDelay: Infinity });
  const failure = new Promise<never>((_, reject) => {
    for (const stream of [raw, counter, unpacked]) stream.once('error', reject);
  });
  failure.catch(() => lines.close());
  raw.pipe(counter);
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (line.length > LINE_CHARACTERS_MAX) throw new Error(`line ${number} is longer than ${LINE_CHARACTERS_MAX} characters`);
      const text = (number === 1 ? line.replace(/^\uFEFF/, '') : line).trim();
      if (number % TELL_EVERY_LINES === 0) tell(file, readBytes / sizeBytes);
      if (text !== '') yield { number, text };
    }
    // A broken archive ends the lines early and quietly; its error comes by the other door.
    await Promise.race([failure, Promise.resolve()]);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    raw.destroy();
  }
}

/** Says in one line which line of which file is wrong, and how; control characters of the file stay out of the terminal. */
export function lineError({ file, number }: { file: string; number: number }, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return new Error(`${file}: line ${number}: ${why.replaceAll(/\p{Cc}/gu, '\uFFFD')}`, { cause: error });
}

function isGzip(file: string): boolean {
  const head = Buffer.alloc(2);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head, 0, 2, 0);
    return head.readUInt16BE() === GZIP_MAGIC;
  } finally {
    closeSync(descriptor);
  }
}

function sizeOf(file: string): number {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new Error('is not a file');
    return Math.max(1, stat.size);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Error(`${file}: ${code === 'ENOENT' ? 'no such file' : error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
