/** Azure's public LLM traces and those that are written like them. github.com/Azure/AzurePublicDataset */
import type { Arrival } from './arrival.ts';
import { columnKey, readNumber, splitCsv } from './csv.ts';
import { readTimeMs } from './read-time.ts';

/** What other traces call the three columns. */
const COLUMNS = {
  time: ['timestamp', 'time', 'ts', 'arrivaltime', 'arrivedat', 'arrivaltimestamp'],
  prompt: ['contexttokens', 'requesttokens', 'prompttokens', 'inputtokens', 'inputlength', 'numprefilltokens', 'prefilltokens'],
  completion: ['generatedtokens', 'responsetokens', 'completiontokens', 'outputtokens', 'outputlength', 'numdecodetokens', 'decodetokens'],
} as const;

interface Places {
  time: number;
  prompt: number;
  completion: number;
}

/** Creates a reader of consecutive lines: the first may be a header, which gives null. Throws an Error that says what a line lacks. */
export function createCsvReader(): (text: string) => Arrival | null {
  let places: Places | null = null;
  return (text) => {
    const fields = splitCsv(text);
    if (places === null) {
      if (readTimeMs(fields[0] ?? '') === null) {
        places = readHeader(fields);
        return null;
      }
      places = { time: 0, prompt: 1, completion: 2 };
    }
    return readRow(fields, places);
  };
}

function readHeader(fields: readonly string[]): Places {
  const keys = fields.map(columnKey);
  const place = (column: keyof typeof COLUMNS): number => {
    const found = keys.findIndex((key) => (COLUMNS[column] as readonly string[]).includes(key));
    if (found < 0) {
      const seen = fields.join(', ').slice(0, 80);
      throw new Error(
        `neither TIMESTAMP,ContextTokens,GeneratedTokens nor JSON with timestamp, input_length, output_length, but "${seen}"`,
      );
    }
    return found;
  };
  return { time: place('time'), prompt: place('prompt'), completion: place('completion') };
}

function readRow(fields: readonly string[], places: Places): Arrival {
  const time = fields[places.time] ?? '';
  const atMs = readTimeMs(time);
  if (atMs === null) throw new Error(`TIMESTAMP is neither a date nor a number of seconds: "${time.slice(0, 40)}"`);
  return {
    atMs,
    promptTokens: readTokens(fields[places.prompt], 'ContextTokens'),
    completionTokens: readTokens(fields[places.completion], 'GeneratedTokens'),
  };
}

/** Empty prompts and answers count as one token: somebody did ask. */
function readTokens(text: string | undefined, column: string): number {
  const tokens = readNumber(text);
  if (tokens === null || tokens < 0) throw new Error(`${column} is not a number of tokens: "${(text ?? '').slice(0, 40)}"`);
  return Math.max(1, Math.round(tokens));
}
