/** Where callers put their key. */

/** Finds the key in `Authorization: Bearer …` (any case of the scheme, RFC 7235), else in `x-api-key`. Null when there is none. */
export function bearerToken(headers: Headers): string | null {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
  return bearer ?? (headers.get('x-api-key')?.trim() || null);
}
