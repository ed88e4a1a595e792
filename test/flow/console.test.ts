import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHouse, type House } from '#test/support/house';

const SIZE_MAX = 60_000;
/** Ways from a string to markup or code. */
const SINKS =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTMLUnsafe|\beval\b|new Function/;

let house: House;
beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'only' }] });
});
afterAll(() => house.stop());

/** Fetches without a key, as a browser does that opens the page. */
const open = (path: string, init?: RequestInit): Promise<Response> => fetch(`${house.url}${path}`, init);

const PAGES = ['/', '/teams', '/docs'];

/** Loads a page with its files and the scripts' imports, as a browser would. */
async function crawl(page = '/'): Promise<Map<string, Response & { body: unknown }>> {
  const files = new Map<string, Response>();
  const queue = [page];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue;
    const response = await open(path);
    files.set(path, response);
    const text = await response.clone().text();
    const links = [...text.matchAll(/<(?:link|script)\s[^>]*(?:href|src)="(\/[^"]*)"|from '(\.[^']+)'/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    queue.push(...links.map((link) => new URL(link, `http://console${path}`).pathname));
  }
  return files as Map<string, Response & { body: unknown }>;
}

describe('the console', () => {
  it('loads with everything it refers to, without a key, in less than 60 KB', async () => {
    const files = await crawl();
    expect([...files].filter(([, { status }]) => status !== 200).map(([path]) => path)).toEqual([]);
    expect([...files.keys()]).toEqual(expect.arrayContaining(['/', '/console.css', '/console.js', '/parts/element.js']));
    expect(files.get('/')?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(files.get('/console.css')?.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(files.get('/console.js')?.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const sizes = await Promise.all([...files.values()].map(async (file) => (await file.arrayBuffer()).byteLength));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(SIZE_MAX);
  });

  it.each(PAGES)('I13: %s is locked to its own origin by headers, on every file', async (page) => {
    for (const [path, { headers }] of await crawl(page)) {
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"])
        expect(policy.split('; '), path).toContain(rule);
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(headers.get('x-frame-options'), path).toBe('DENY');
      expect(headers.get('access-control-allow-origin'), path).toBeNull();
    }
  });

  it('is fetched once: the same tag answers 304, another one 200', async () => {
    const etag = (await open('/')).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{24}"$/);
    for (const tag of [etag, `W/${etag}`, `"old", ${etag}`]) {
      const response = await open('/', { headers: { 'if-none-match': tag } });
      expect([response.status, await response.text()]).toEqual([304, '']);
    }
    expect((await open('/', { headers: { 'if-none-match': '"old"' } })).status).toBe(200);
    expect((await open('/console.css')).headers.get('etag')).not.toBe(etag);
  });

  it.each(PAGES)('I13: every script of %s parses, and none can turn a string into markup or code', async (page) => {
    const scripts = [...(await crawl(page))].filter(([path]) => path.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(2);
    for (const [path, file] of scripts) {
      const text = await file.text();
      expect(text, path).not.toMatch(SINKS);
      execFileSync(process.execPath, ['--input-type=module', '--check', '-'], { input: text });
    }
  });

  it('has no inline script, style or handler, which its policy would block', async () => {
    const page = await (await open('/')).text();
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
  });

  it.each(PAGES)('%s keeps the key out of addresses and of storage that outlives the tab', async (page) => {
    const script = await (await open('/parts/key.js')).text();
    expect(script).toContain('sessionStorage');
    const texts = await Promise.all([...(await crawl(page)).values()].map((file) => file.text()));
    expect(texts.join('\n')).not.toMatch(/localStorage|document\.cookie|[?&]key=|location\.|pushState|replaceState/);
  });

  it('labels every field', async () => {
    const page = await (await open('/')).text();
    const ids = [...page.matchAll(/<(?:input|select|textarea)\s[^>]*\bid="([^"]+)"/g)].map((match) => match[1]);
    expect(ids.length).toBeGreaterThan(3);
    for (const id of ids) expect(page).toContain(`<label for="${id}"`);
  });
});
