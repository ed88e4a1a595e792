import { isJsonObject, type JsonObject } from './json-object.ts';

/** What an upstream's error says, whatever family it is written in. `words` are its machine-readable types and codes. */
export interface ErrorPayload {
  message: string;
  words: string;
  /** HTTP status written inside the body (100–599), or null. */
  status: number | null;
}

/**
 * Reads an error out of a parsed JSON answer; null when the value is no error. Families:
 * OpenAI `{error:{message,type,code}}`, flat `{message,type,code}` and `{object:"error"}`, FastAPI `{detail}`, `{error:"text"}`,
 * Cloudflare `{errors:[…]}`, x402 payment envelopes, and Google's one-element array around any of them. Plain text and HTML have no JSON to read.
 */
export function readError(value: unknown): ErrorPayload | null {
  const body = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (!isJsonObject(body)) return null;
  const error = body['error'];
  if (isJsonObject(error)) return readFields(error, body);
  if (typeof error === 'string' && error !== '') return readFields({ ...body, message: error }, body);
  if (Array.isArray(body['choices'])) return null;
  if ('x402Version' in body) return { message: 'payment required', words: 'x402', status: 402 };
  if (body['detail'] !== undefined && body['detail'] !== null) return readDetail(body['detail'], body);
  if (Array.isArray(body['errors'])) return readFields(isJsonObject(body['errors'][0]) ? body['errors'][0] : {}, body);
  if (body['object'] === 'error' || body['type'] === 'error' || typeof body['message'] === 'string') return readFields(body, body);
  return null;
}

function readDetail(detail: unknown, body: JsonObject): ErrorPayload {
  if (typeof detail === 'string') return readFields({ message: detail }, body);
  // FastAPI's validation errors repeat the caller's input beside the message: only the message may be kept.
  const first = Array.isArray(detail) ? detail[0] : detail;
  if (!isJsonObject(first)) return readFields({}, body);
  if (isJsonObject(first['error'])) return readFields(first['error'], body);
  return readFields({ ...first, message: first['msg'] ?? first['message'] ?? first['error'] }, body);
}

function readFields(error: JsonObject, body: JsonObject): ErrorPayload {
  const metadata = isJsonObject(error['metadata']) ? error['metadata'] : {};
  const names = [error['type'], error['code'], error['error_type'], metadata['error_type'], error['param']];
  const statuses = [
    error['code'],
    error['status'],
    error['status_code'],
    error['http_status'],
    body['status_code'],
    body['status'],
    body['code'],
  ];
  return {
    message: firstText(error['message'], error['error'], error['detail'], body['message']),
    words: names.filter((name) => typeof name === 'string').join(' '),
    status: statuses.map(toStatus).find((status) => status !== null) ?? null,
  };
}

function firstText(...values: unknown[]): string {
  return values.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}

function toStatus(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 300 && number <= 599 ? number : null;
}
