/** Gets a published document: bounded in bytes and time, without redirects, and every failure a clause for people. */
import { readAtMost } from '#schema/read-at-most';
import type { Timers } from '#schema/timers';
import { within } from '#schema/within';

export const DOCUMENT_BYTES_MAX = 8 * 1024 * 1024;
const TIMEOUT_MS = 12_000;

export interface FetchPorts {
  fetch: typeof fetch;
  timers: Timers;
}

/** What came of asking. */
export type FetchedDocument = { document: unknown } | { failure: string };

/** Fetches JSON. `key` goes along as a bearer token; whoever calls has made sure that it belongs there. Never rejects. */
export async function fetchDocument(url: string, key: string | null, { fetch, timers }: FetchPorts): Promise<FetchedDocument> {
  const abort = new AbortController();
  try {
    return await within(get(), TIMEOUT_MS, timers);
  } catch (failure) {
    return {
      failure: failure instanceof Error && failure.name === 'TimeBoxClosed' ? `no answer in ${TIMEOUT_MS / 1000} s` : 'no connection',
    };
  } finally {
    abort.abort();
  }

  async function get(): Promise<FetchedDocument> {
    const headers = { accept: 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) };
    const response = await fetch(url, { headers, redirect: 'manual', signal: abort.signal });
    if (response.status >= 300 && response.status < 400) return { failure: 'it redirects, and redirects are not followed' };
    if (!response.ok) return { failure: `HTTP ${response.status}` };
    if (response.headers.get('content-type')?.includes('text/html') === true) return { failure: 'HTML where a list was expected' };
    const text = await readAtMost(response, DOCUMENT_BYTES_MAX);
    if (text === null) return { failure: `larger than ${DOCUMENT_BYTES_MAX / 1024 / 1024} MiB` };
    try {
      return { document: JSON.parse(text) };
    } catch {
      return { failure: text.trimStart().startsWith('<') ? 'HTML where a list was expected' : 'no JSON' };
    }
  }
}
