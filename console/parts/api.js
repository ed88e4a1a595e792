/** Calls the router that served this page. */
import { readEvents } from './events.js';

/** A receipt is readable when the answer has ended; a slow store gets this many more chances. */
const RECEIPT_RETRIES = 4;
const RECEIPT_PAUSE_MS = 250;

/** Carries an error of the router: `body` is the API's error object, null when the answer was something else; `headers` null inside a stream. */
export class ApiError extends Error {
  constructor(status, body, headers) {
    super(body?.message ?? `The router answered with status ${status}.`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Calls a path of the router. Throws ApiError for every status that is not a success, and what `fetch` throws. */
export async function call(path, { key, body, signal, method = body === undefined ? 'GET' : 'POST' } = {}) {
  const response = await fetch(path, {
    method,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal,
    cache: 'no-store',
    credentials: 'omit',
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new ApiError(response.status, answer?.error ?? null, response.headers);
}

/** Lists the models that can be called here. A key adds those of its team. */
export async function listModels(key) {
  return (await (await call('/v1/models', { key })).json()).data;
}

/** Lists the endpoints of a model; a key adds their speed. */
export async function listEndpoints(model, key) {
  const path = model.split('/').map(encodeURIComponent).join('/');
  return (await (await call(`/v1/models/${path}/endpoints`, { key })).json()).data.endpoints;
}

/** Plans a request without sending it. */
export async function explain(body, key) {
  return (await call('/v1/explain', { body, key })).json();
}

/** Fetches the receipt of an answer. */
export async function findReceipt(id, key) {
  for (let retry = 0; ; retry++) {
    try {
      return (await (await call(`/v1/generation?id=${encodeURIComponent(id)}`, { key })).json()).data;
    } catch (failure) {
      if (failure.status !== 404 || retry === RECEIPT_RETRIES) throw failure;
      await new Promise((resolve) => setTimeout(resolve, RECEIPT_PAUSE_MS));
    }
  }
}

/**
 * Asks, and hands over the answer as it arrives. Resolves when it has ended; rejects with ApiError or the fetch failure.
 * @param {object} body
 * @param {{ key: string, signal: AbortSignal, onHeaders(headers: Headers): void, onChunk(chunk: object): void }} options
 */
export async function ask(body, { key, signal, onHeaders, onChunk }) {
  const response = await call('/v1/chat/completions', { body, key, signal });
  onHeaders(response.headers);
  if (!body.stream) return onChunk(await response.json());
  for await (const data of readEvents(response.body)) {
    if (data === '[DONE]') return;
    const chunk = JSON.parse(data);
    onChunk(chunk);
    if (chunk.error) throw new ApiError(chunk.error.code, chunk.error, null);
  }
}
