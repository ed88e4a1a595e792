/** Reads a body up to a limit, so that no upstream can fill the isolate (I7). */

export type CappedText = { kind: 'text'; text: string } | { kind: 'too_large' };

/** Reads at most `limitBytes` of UTF-8 text; cancels the rest. Rejects only when the body itself errors. */
export async function readCapped(response: Response, limitBytes: number): Promise<CappedText> {
  const declaredBytes = Number(response.headers.get('content-length') ?? Number.NaN);
  // A plain length can be trusted as an upper bound only when nothing is decompressed on the way.
  if (declaredBytes <= limitBytes && !response.headers.has('content-encoding')) return { kind: 'text', text: await response.text() };
  if (response.body === null) return { kind: 'text', text: '' };

  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { kind: 'text', text: text + decoder.decode() };
    sizeBytes += value.byteLength;
    if (sizeBytes > limitBytes) {
      await reader.cancel().catch(() => undefined);
      return { kind: 'too_large' };
    }
    text += decoder.decode(value, { stream: true });
  }
}
