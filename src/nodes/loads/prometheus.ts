/** Reads the Prometheus text format, version 0.0.4: samples with their labels. Small and strict: a line that is none is no sample. */

/** One line. */
export interface Sample {
  name: string;
  labels: ReadonlyMap<string, string>;
  value: number;
}

const SAMPLES_MAX = 20_000;
const LINE_CHARS_MAX = 16_384;
const NAME = /^[A-Za-z_:][A-Za-z0-9_:]*/;
const LABEL = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/** Reads all samples of a text, in order. Comments, broken and overlong lines are left out; at most 20,000 are kept. */
export function readSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (samples.length >= SAMPLES_MAX) break;
    if (line === '' || line.startsWith('#') || line.length > LINE_CHARS_MAX) continue;
    const sample = readSample(line.trimEnd());
    if (sample !== null) samples.push(sample);
  }
  return samples;
}

function readSample(line: string): Sample | null {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return null;
  const labelled = readLabels(line.slice(name.length));
  if (labelled === null) return null;
  // A time in milliseconds may follow the value.
  const [value, ...rest] = labelled.rest.trim().split(/\s+/);
  if (value === undefined || rest.length > 1 || !rest.every((time) => /^-?\d+$/.test(time))) return null;
  const number = readValue(value);
  return number === null ? null : { name, labels: labelled.labels, value: number };
}

function readLabels(text: string): { labels: Map<string, string>; rest: string } | null {
  const labels = new Map<string, string>();
  if (!text.startsWith('{')) return /^\s/.test(text) ? { labels, rest: text } : null;
  let rest = text.slice(1);
  for (let label = LABEL.exec(rest); label !== null; label = LABEL.exec(rest)) {
    const [whole, name = '', value = ''] = label;
    labels.set(
      name,
      value.replaceAll(/\\(.)/g, (escaped, char: string) => ESCAPES[char] ?? escaped),
    );
    rest = rest.slice(whole.length);
    if (!rest.startsWith(',')) break;
    rest = rest.slice(1);
  }
  return /^\s*\}/.test(rest) ? { labels, rest: rest.replace(/^\s*\}/, '') } : null;
}

function readValue(text: string): number | null {
  if (/^[+-]?Inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^NaN$/i.test(text)) return Number.NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : null;
}

/** Adds up the samples of a name, such as one for each model; null where there are none, or they are no numbers. */
export function sumOf(samples: readonly Sample[], ...names: string[]): number | null {
  for (const name of names) {
    const found = samples.filter((sample) => sample.name === name);
    if (found.length > 0 && found.every(({ value }) => Number.isFinite(value))) return found.reduce((sum, { value }) => sum + value, 0);
  }
  return null;
}

/** Finds the largest sample of a name, such as the fullest of several caches; null where there are none, or they are no numbers. */
export function largestOf(samples: readonly Sample[], ...names: string[]): number | null {
  for (const name of names) {
    const found = samples.filter((sample) => sample.name === name);
    if (found.length > 0 && found.every(({ value }) => Number.isFinite(value))) return Math.max(...found.map(({ value }) => value));
  }
  return null;
}
