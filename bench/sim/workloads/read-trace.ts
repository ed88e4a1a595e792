/** `--trace FILE`: real traffic as requests, from the two formats that it is published in. */
import type { Arrival } from './arrival.ts';
import { createCsvReader } from './azure-csv.ts';
import { readMooncakeLine } from './mooncake-jsonl.ts';
import { lineError, readLines, type TellReading } from './text-lines.ts';

const ARRIVALS_MAX = 5_000_000; // about a gigabyte of them; longer traces are to be cut first

/**
 * Reads an Azure CSV (TIMESTAMP, ContextTokens, GeneratedTokens) or a Mooncake JSONL (timestamp in ms, input_length,
 * output_length, hash_ids), told apart by their first line; either may be gzipped. Arrivals come in the file's order.
 * Throws an Error with a one-line message that names file and line.
 */
export async function readTrace(file: string, tell?: TellReading): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  let readLine: ((text: string) => Arrival | null) | null = null;
  for await (const { number, text } of readLines(file, tell)) {
    try {
      readLine ??= text.startsWith('{') ? readMooncakeLine : createCsvReader();
      const arrival = readLine(text);
      if (arrival !== null) arrivals.push(arrival);
    } catch (error) {
      throw lineError({ file, number }, error);
    }
    if (arrivals.length > ARRIVALS_MAX) throw new Error(`${file}: more than ${ARRIVALS_MAX} requests; cut the file first`);
  }
  if (arrivals.length === 0) throw new Error(`${file}: no requests in it`);
  return arrivals;
}
