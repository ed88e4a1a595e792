import type { IncomingMessage } from 'node:http';
import type { Fields } from '../body.ts';
import { readBytes, type Unread } from '../http.ts';

/** Reads a multipart body as fields: texts as strings, files as `Uint8Array`, names that end in `[]` as lists. */
export async function readForm(request: IncomingMessage): Promise<{ value: Fields } | Unread> {
  const bytes = await readBytes(request);
  if (typeof bytes === 'string') return bytes;
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  // undici's reader is the one multipart parser that Node brings.
  const form = await new Response(bytes, { headers }).formData().catch(() => null);
  if (form === null) return 'invalid';
  const fields: Fields = {};
  for (const name of new Set(form.keys())) {
    const values = await Promise.all(form.getAll(name).map(readValue));
    if (name.endsWith('[]')) fields[name.slice(0, -2)] = values;
    else fields[name] = values[0];
  }
  return { value: fields };
}

async function readValue(value: string | Blob): Promise<string | Uint8Array> {
  return typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer());
}
