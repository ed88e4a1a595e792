/** Reads a body up to a limit, so that no upstream can fill the isolate (I7). */
import { readAtMost } from '#schema/read-at-most';

export type CappedText = { kind: 'text'; text: string } | { kind: 'too_large' };

/** Reads at most `limitBytes` of UTF-8 text; cancels the rest. Rejects only when the body itself errors. */
export async function readCapped(response: Response, limitBytes: number): Promise<CappedText> {
  const declaredBytes = Number(response.headers.get('content-length') ?? Number.NaN);
  // A plain length can be trusted as an upper bound only when nothing is decompressed on the way.
  if (declaredBytes <= limitBytes && !response.headers.has('content-encoding')) return { kind: 'text', text: await response.text() };
  const text = await readAtMost(response, limitBytes);
  return text === null ? { kind: 'too_large' } : { kind: 'text', text };
}
