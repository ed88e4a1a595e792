/** Calls the router's API as a command does: JSON both ways, failures in one line. */
import { CommandError, Unreachable } from './command-error.ts';
import { findConnection, type Connection, type ConnectionOptions } from './connection.ts';
import { toPlainText } from './plain-text.ts';

/** A management call that takes longer has no use for a person who waits. */
const TIMEOUT_MS = 60_000;
/** More than a page of the replay feed, less than what would fill this process. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Values of a query; undefined and null ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Paths are below `/v1`, such as `/keys`. Answers are taken to have the shape that the caller names. */
export interface Client {
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  post<Answer>(path: string, body: unknown, query?: Query): Promise<Answer>;
  put<Answer>(path: string, body: unknown): Promise<Answer>;
  patch<Answer>(path: string, body: unknown): Promise<Answer>;
  delete<Answer>(path: string): Promise<Answer>;
}

/** An answer of the router that says no. */
export class RefusedError extends CommandError {
  /** HTTP status. */
  readonly status: number;
  /** The code of the error table (schema/error.ts); null when something else has answered. */
  readonly code: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;

  constructor(status: number, { message, param, metadata = {} }: ErrorFields) {
    super(sayRefusal(message ?? `the router answered ${status}`, param ?? null, metadata));
    this.name = 'RefusedError';
    this.status = status;
    this.code = typeof metadata.headrace_code === 'string' ? metadata.headrace_code : null;
    this.metadata = metadata;
  }
}

interface ErrorFields {
  message?: string;
  param?: string | null;
  metadata?: Record<string, unknown>;
}

/** Opens a client. Its calls throw RefusedError with the router's message, Unreachable when nothing answers that is a router. */
export function createClient({ url, key }: Connection, timeoutMs = TIMEOUT_MS): Client {
  async function call<Answer>(method: string, path: string, query: Query, body?: unknown): Promise<Answer> {
    const target = `${url}/v1${path}${toSearch(query)}`;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await fetch(target, {
        method,
        // A key belongs to the origin that the person named.
        redirect: 'manual',
        signal,
        headers: {
          authorization: `Bearer ${key}`,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return readAnswer<Answer>(answer.status, await readText(answer), url);
    } catch (error) {
      throw error instanceof CommandError ? error : toUnreachable(error, url, timeoutMs);
    }
  }
  return {
    get: (path, query = {}) => call('GET', path, query),
    post: (path, body, query = {}) => call('POST', path, query, body),
    put: (path, body) => call('PUT', path, {}, body),
    patch: (path, body) => call('PATCH', path, {}, body),
    delete: (path) => call('DELETE', path, {}),
  };
}

/** Opens a client of the router that a command's flags name, to manage it. Throws UsageError where there is no management key. */
export function openManagement(options: ConnectionOptions): Client {
  return createClient(findConnection(options, 'management'));
}

function toSearch(query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return set.length === 0 ? '' : `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString()}`;
}

async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > ANSWER_BYTES_MAX) throw new CommandError(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer<Answer>(status: number, text: string, url: string): Answer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Unreachable(`${url} does not answer like a Headrace router (${status}, no JSON)`);
  }
  if (status >= 200 && status < 300) return body as Answer;
  const error = (body as { error?: ErrorFields } | null)?.error;
  if (typeof error !== 'object' || error === null) throw new Unreachable(`${url} does not answer like a Headrace router (${status})`);
  throw new RefusedError(status, error);
}

/** One line: the router's message, with the field and the allowed values where the message does not name them itself. */
function sayRefusal(message: string, param: string | null, { allowed }: Record<string, unknown>): string {
  const said = toPlainText(message).trim().replace(/\.$/, '');
  const field = param === null || said.includes(param) ? '' : ` (${toPlainText(param)})`;
  const values = Array.isArray(allowed) ? allowed.map(String) : [];
  const isSaid = values.length === 0 || /allowed|one of|expected/.test(said);
  return `${said}${field}${isSaid ? '' : ` (allowed: ${toPlainText(values.join(', '))})`}`;
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; is the router running?',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
};

function toUnreachable(error: unknown, url: string, timeoutMs: number): Unreachable {
  if (error instanceof Error && error.name === 'TimeoutError') return new Unreachable(`${url}: no answer in ${timeoutMs / 1000} s`);
  const cause = error instanceof Error && error.cause instanceof Error ? (error.cause as NodeJS.ErrnoException) : null;
  const code = cause?.code ?? '';
  return new Unreachable(`cannot reach ${url}: ${REASONS[code] ?? cause?.message ?? 'unknown failure'}`);
}
