/** Answers of an engine to plain questions, read with bounds: in time, in size, and without following anybody anywhere. */
import { readAtMost } from '#schema/read-at-most';

/** One answer. `text` is null where it is longer than any that an engine gives. */
export interface Answer {
  status: number;
  contentType: string;
  text: string | null;
}

/** Question → answer; null where nothing came in time. */
export type Answers = ReadonlyMap<string, Answer | null>;

export interface AskOptions {
  /** Address of the engine without a trailing slash. */
  url: string;
  /** The engine's own key; null where it asks for none. */
  key: string | null;
  fetch: typeof fetch;
  /** For each answer. */
  timeoutMs: number;
}

/** More than the metrics of an engine with many models. */
const ANSWER_BYTES_MAX = 2 * 1024 * 1024;

/** Asks several questions at once: a path is got, and a path with JSON behind it (`/api/show {"model":"m"}`) is posted. Never rejects. */
export async function ask(questions: Iterable<string>, options: AskOptions): Promise<Answers> {
  const answers = await Promise.all([...new Set(questions)].map(async (question) => [question, await askOne(question, options)] as const));
  return new Map(answers);
}

async function askOne(question: string, { url, key, fetch: get, timeoutMs }: AskOptions): Promise<Answer | null> {
  const left = new AbortController();
  const timer = setTimeout(() => left.abort(), timeoutMs);
  try {
    const [path = '', body] = question.split(/ (.*)/s);
    const post = body === undefined ? {} : { method: 'POST', body };
    const headers = { accept: '*/*', ...(key !== null && { authorization: `Bearer ${key}` }) };
    const answer = await get(`${url}${path}`, { ...post, headers, redirect: 'manual', signal: left.signal });
    const text = await readAtMost(answer, ANSWER_BYTES_MAX);
    return { status: answer.status, contentType: answer.headers.get('content-type') ?? '', text };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    left.abort();
  }
}

/** A JSON object, whatever stands in it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads the JSON object of a 200; null for every other answer. */
export function objectAt(answers: Answers, path: string): Fields | null {
  return toFields(jsonAt(answers, path));
}

/** Reads the JSON value of a 200; null for every other answer. */
export function jsonAt(answers: Answers, path: string): unknown {
  const text = textAt(answers, path);
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Reads the text of a whole 200; null for every other answer. */
export function textAt(answers: Answers, path: string): string | null {
  const answer = answers.get(path);
  return answer?.status === 200 ? answer.text : null;
}

/** Takes a value for an object; null where it is none. */
export function toFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Takes a value for a list of objects; what is none is left out. */
export function toList(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(toFields).filter((entry) => entry !== null) : [];
}

/** Takes a value for a text; null where it is none, or an absurd one. */
export function toText(value: unknown, charsMax = 300): string | null {
  return typeof value === 'string' && value !== '' && value.length <= charsMax ? value : null;
}

/** Takes a value, or a text that says one, for a count from 0; null where it is none that an engine could mean. */
export function toCount(value: unknown): number | null {
  const count = typeof value === 'string' && /^\d{1,10}(\.0+)?$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isFinite(count) && count >= 0 && count <= 1e9 ? Math.floor(count) : null;
}

/** Takes a value for a number above 0; null where it is none. */
export function toSize(value: unknown): number | null {
  const count = toCount(value);
  return count === null || count === 0 ? null : count;
}

/** Takes a value for a share in [0, 1]; null where it is none. */
export function toShare(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : null;
}
