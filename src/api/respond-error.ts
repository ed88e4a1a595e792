/** The one place where an exception becomes an answer. */
import { GatewayError } from '#schema/error';

type Log = (event: Record<string, unknown>) => void;

const FRAMES_MAX = 8;

/**
 * Answers with an error and its status, in OpenAI's shape unless a surface has its own. Anything but a GatewayError is logged and
 * answered with a fixed text.
 */
export function respondError(failure: unknown, log: Log, toBody: (error: GatewayError) => object = toOpenAiBody): Response {
  const error = toGatewayError(failure, log);
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  for (const [name, value] of Object.entries(error.headers)) headers.set(name, value);
  if (error.retryAfterS !== undefined) {
    headers.set('retry-after', String(Math.max(1, Math.ceil(error.retryAfterS))));
    // OpenAI's clients read this one first.
    if (error.status === 429) headers.set('retry-after-ms', String(Math.max(1, Math.ceil(error.retryAfterS * 1000))));
  }
  if (error.status === 401) headers.set('www-authenticate', 'Bearer');
  return new Response(JSON.stringify(toBody(error)), { status: error.status, headers });
}

function toGatewayError(failure: unknown, log: Log): GatewayError {
  if (failure instanceof GatewayError) return failure;
  log({ event: 'internal_error', ...describeUnknown(failure) });
  return new GatewayError('internal_error', 'Something went wrong here. The request was not completed.');
}

/** Keeps what locates a fault (its kind and where in the code) and drops its message, which may quote a request. */
function describeUnknown(failure: unknown): Record<string, unknown> {
  if (!(failure instanceof Error)) return { kind: typeof failure };
  const frames = (failure.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return { kind: failure.name, frames: frames.slice(0, FRAMES_MAX).map((line) => line.trim()) };
}

function toOpenAiBody(error: GatewayError): object {
  return error.toBody();
}
