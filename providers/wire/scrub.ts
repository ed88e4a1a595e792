/**
 * Makes an upstream's message safe to keep: one line without keys, addresses, paths or quoted prompts.
 * Patterns err towards removing too much; a receipt needs the gist, nobody needs the rest.
 */

const READ_CHARS_MAX = 2000;
const KEPT_CHARS_MAX = 300;

const SECRETS: readonly [RegExp, string][] = [
  [/[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>)\]}]+/gi, '[url]'],
  [/\bauthorization["']?\s*[:=]\s*["']?(?:basic |digest |token |bearer )?[^\s"',;]+/gi, '[key]'],
  [/\bbearer\s+[^\s"',;]+/gi, '[key]'],
  [/\b(?:sk|pk|rk|ak|mk|cpk|psk|gsk|csk|nvapi|hf|xai|fw|tgp|app-sk)[-_][\w.*-]{4,}/gi, '[key]'],
  [/\b(?:key|tok|token|secret)[-_](?=[\w.*-]*[\d*])[\w.*-]{4,}/gi, '[key]'],
  [/\b(?:api[ _-]?key|password|secret|token)["']?\s*[:=]\s*["']?[^\s"',;]{4,}/gi, '[key]'],
  [/\bey[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, '[key]'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '[key]'],
  // Model names have hyphens and slashes; what runs on for longer without any is a credential.
  [/\b(?=\w*\d)(?=\w*[a-z])[\w+]{20,}={0,2}/gi, '[key]'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '[address]'],
  [/\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\]?(?::\d+)?/gi, '[address]'],
  [/\blocalhost(?::\d+)?\b/gi, '[address]'],
  [
    /\b(?:[a-z0-9_-]+\.)+(?:com|net|org|io|ai|dev|app|cloud|co|xyz|sh|run|host|tech|network|solutions|info|eu|us|de|fr|uk|nl|ch|cn|sg|jp|kr|in|local|localdomain|internal|intranet|lan|home|corp|svc|cluster|consul|test)(?::\d+)?\b/gi,
    '[address]',
  ],
  [/\b[a-z][\w.-]*:\d{4,5}\b/gi, '[address]'],
  [/(?<![\w.])(?:\/[\w.@-]+){2,}\/?/g, '[path]'],
  // Validators like to quote the whole input: a long quotation is likely to be somebody's prompt.
  [/(["'`])(?:(?!\1).){60,}\1/g, '[text]'],
];

/**
 * Removes keys, bearer tokens, URLs, hosts, IP addresses, paths and control characters from an upstream's text; at most 300 characters.
 * `key` is our own credential for that upstream, removed literally however short it looks.
 */
export function scrub(text: string, key: string | null = null): string {
  let clean = firstChars(text);
  if (key !== null && key !== '') clean = clean.replaceAll(key, '[key]');
  clean = clean.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  for (const [pattern, substitute] of SECRETS) clean = clean.replace(pattern, substitute);
  clean = clean.replace(/\s+/g, ' ').trim();
  return clean.length <= KEPT_CHARS_MAX ? clean : `${clean.slice(0, KEPT_CHARS_MAX - 1).toWellFormed()}…`;
}

/** Bounds the work of the patterns; never leaves half a word, which might be half a key. */
function firstChars(text: string): string {
  if (text.length <= READ_CHARS_MAX) return text;
  return text.slice(0, READ_CHARS_MAX).replace(/\S+$/, '');
}
