/** Headers that cross the link; everything else stays on its side. */
import { LINK_REQUEST_HEADERS, LINK_RESPONSE_HEADERS } from '#schema/node-link';

const TO_ENGINE: ReadonlySet<string> = new Set(LINK_REQUEST_HEADERS);
const VALUE_CHARS_MAX = 1_024;

/** Keeps what an engine may be told: nothing that says where the request goes or how long it is. A key that comes along is the one that the manifest names for this engine. */
export function toEngineHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => TO_ENGINE.has(name) && isHarmless(value));
  return Object.fromEntries(kept);
}

/** Keeps what a router may be told. Never a cookie, a place to go to, or how the local connection was run. */
export function toRouterHeaders(headers: Pick<Headers, 'get'>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of LINK_RESPONSE_HEADERS) {
    const value = headers.get(name);
    if (value !== null && isHarmless(value)) kept[name] = value;
  }
  return kept;
}

function isHarmless(value: string): boolean {
  return value.length <= VALUE_CHARS_MAX && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
