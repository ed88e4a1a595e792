/** Calls the router's API as a command does: JSON both ways, failures in one line. */
import { CommandError, Unreachable } from '../command-error.ts';
import { toPlainText } from '../plain-text.ts';
import { sayConnectFailure } from './connect-failure.ts';
import { findConnection, type Connection, type ConnectionOptions } from './connection.ts';

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

/** Writes the `Authorization` header of a request: its method, and its path with `/v1`. */
export type Authorize = (method: string, path: string) => string;

/**
 * Opens a client. Its calls throw RefusedError with the router's message, Unreachable when nothing answers that is a router.
 * `authorize` is for callers without a key, such as nodes, which sign each request.
 */
export function createClient({ url, key }: Connection, timeoutMs = TIMEOUT_MS, authorize: Authorize = () => `Bearer ${key}`): Client {
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
          // As the router sees it: what stands before `/v1` belongs to whoever passes requests on to it.
          authorization: authorize(method, new URL(`/v1${path}`, target).pathname),
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

/** Opens a client for the supply of operators, with an operator key or a management key. Throws UsageError where there is neither. */
export function openSupply(options: ConnectionOptions): Client {
  return createClient(findConnection(options, 'operator'));
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

function toUnreachable(error: unknown, url: string, timeoutMs: number): Unreachable {
  if (error instanceof Error && error.name === 'TimeoutError') return new Unreachable(`${url}: no answer in ${timeoutMs / 1000} s`);
  // Only the cause: the error itself may quote a header that cannot be sent, and with it the key.
  const cause = error instanceof Error ? error.cause : null;
  return new Unreachable(`cannot reach ${url}: ${sayConnectFailure(cause)}`);
}
