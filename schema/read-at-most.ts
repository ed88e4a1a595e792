/** Bodies of answers that nobody may make endless. */

/** Reads a body as UTF-8 text; null, and the rest is cancelled, when it is longer than `bytesMax`. Rejects only where the body itself errors. */
export async function readAtMost({ body }: Pick<Response, 'body'>, bytesMax: number): Promise<string | null> {
  if (body === null) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    sizeBytes += value.byteLength;
    if (sizeBytes > bytesMax) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
