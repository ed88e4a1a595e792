/** The web console on `/` and `/teams`: static files of `console/`, whose tree is the tree of their URLs. */
/* oxlint-disable import/default -- text has a default export that the rule cannot see; the compiler checks it */
import type { Context, Hono } from 'hono';
import style from '#console/console.css' with { type: 'text' };
import script from '#console/console.js' with { type: 'text' };
import docsStyle from '#console/docs.css' with { type: 'text' };
import docsScript from '#console/docs.js' with { type: 'text' };
import page from '#console/index.html' with { type: 'text' };
import answer from '#console/parts/answer.js' with { type: 'text' };
import api from '#console/parts/api.js' with { type: 'text' };
import dialog from '#console/parts/dialog.js' with { type: 'text' };
import element from '#console/parts/element.js' with { type: 'text' };
import events from '#console/parts/events.js' with { type: 'text' };
import fill from '#console/parts/fill.js' with { type: 'text' };
import format from '#console/parts/format.js' with { type: 'text' };
import history from '#console/parts/history.js' with { type: 'text' };
import keyWish from '#console/parts/key-wish.js' with { type: 'text' };
import key from '#console/parts/key.js' with { type: 'text' };
import manage from '#console/parts/manage.js' with { type: 'text' };
import receipt from '#console/parts/receipt.js' with { type: 'text' };
import request from '#console/parts/request.js' with { type: 'text' };
import route from '#console/parts/route.js' with { type: 'text' };
import supply from '#console/parts/supply.js' with { type: 'text' };
import teamKeys from '#console/parts/team-keys.js' with { type: 'text' };
import team from '#console/parts/team.js' with { type: 'text' };
import trail from '#console/parts/trail.js' with { type: 'text' };
import usage from '#console/parts/usage.js' with { type: 'text' };
import teamsStyle from '#console/teams.css' with { type: 'text' };
import teamsPage from '#console/teams.html' with { type: 'text' };
import teamsScript from '#console/teams.js' with { type: 'text' };

export interface ConsoleFile {
  contentType: string;
  text: string;
}

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';

const scripts: Readonly<Record<string, string>> = {
  '/console.js': script,
  '/docs.js': docsScript,
  '/teams.js': teamsScript,
  '/parts/answer.js': answer,
  '/parts/api.js': api,
  '/parts/dialog.js': dialog,
  '/parts/element.js': element,
  '/parts/events.js': events,
  '/parts/fill.js': fill,
  '/parts/format.js': format,
  '/parts/history.js': history,
  '/parts/key-wish.js': keyWish,
  '/parts/key.js': key,
  '/parts/manage.js': manage,
  '/parts/receipt.js': receipt,
  '/parts/request.js': request,
  '/parts/route.js': route,
  '/parts/supply.js': supply,
  '/parts/team-keys.js': teamKeys,
  '/parts/team.js': team,
  '/parts/trail.js': trail,
  '/parts/usage.js': usage,
};

/** Every file of the console by its path. */
export const CONSOLE_FILES: ReadonlyMap<string, ConsoleFile> = new Map([
  ['/', { contentType: HTML, text: page }],
  ['/teams', { contentType: HTML, text: teamsPage }],
  ['/console.css', { contentType: CSS, text: style }],
  ['/docs.css', { contentType: CSS, text: docsStyle }],
  ['/teams.css', { contentType: CSS, text: teamsStyle }],
  ...Object.entries(scripts).map(([path, text]): [string, ConsoleFile] => [path, { contentType: JAVASCRIPT, text }]),
]);

/** What the page may do: load its own files and call its own origin. Trusted Types keep data from becoming markup. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'cache-control': 'no-cache',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const TAG_BYTES = 12;

async function computeTag(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return `"${Array.from(new Uint8Array(digest, 0, TAG_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}

/** Answers whether `If-None-Match` holds a tag, weakly compared (RFC 9110 §13.1.2): compressing proxies weaken ours. */
function isFresh(ifNoneMatch: string | undefined, tag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((item) => item.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}

/** Answers with a file, or with 304 where the browser has it. Pages carry no CORS headers: they are for their own origin. */
export async function respondFile(c: Context, { contentType, text }: ConsoleFile, tag = computeTag(text)): Promise<Response> {
  const etag = await tag;
  const headers = { ...HEADERS, etag };
  if (isFresh(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers);
  return c.body(text, 200, { ...headers, 'content-type': contentType });
}

/** Adds the console's files to an app. */
export function mountConsole(app: Hono): void {
  for (const [path, file] of CONSOLE_FILES) {
    let tag: Promise<string> | undefined;
    app.get(path, (c) => respondFile(c, file, (tag ??= computeTag(file.text))));
  }
}
