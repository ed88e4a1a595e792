import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CONSOLE_FILES } from '#src/api/console';
import { loadPart } from './fake-document.ts';

const SIZE_MAX = 80_000;
const SINKS =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTMLUnsafe|\beval\b|new Function/;

/** Finds a page with its files and the scripts' imports, as a browser would; throws for what is not served. */
function crawl(page: string): Map<string, string> {
  const files = new Map<string, string>();
  const queue = [page];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue;
    const text = CONSOLE_FILES.get(path)?.text;
    if (text === undefined) throw new Error(`${path} is not served`);
    files.set(path, text);
    const links = [...text.matchAll(/<(?:link|script)\s[^>]*(?:href|src)="(\/[^"]*)"|from '(\.[^']+)'/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    queue.push(...links.map((link) => new URL(link, `http://console${path}`).pathname));
  }
  return files;
}

describe('the teams page', () => {
  const files = crawl('/teams');
  const page = files.get('/teams') ?? '';

  it('refers only to files that are served, in less than 80 KB', () => {
    expect([...files.keys()]).toEqual(expect.arrayContaining(['/teams.js', '/teams.css', '/parts/manage.js', '/parts/usage.js']));
    expect([...files.values()].reduce((sum, text) => sum + text.length, 0)).toBeLessThan(SIZE_MAX);
  });

  it('I13: has no inline script, style or handler, and no script that turns a string into markup or code', () => {
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
    for (const [path, text] of files) if (path.endsWith('.js')) expect(text, path).not.toMatch(SINKS);
  });

  it('keeps the key out of addresses and of storage that outlives the tab', () => {
    expect([...files.values()].join('\n')).not.toMatch(/localStorage|document\.cookie|[?&]key=|location\.|pushState|replaceState/);
  });

  it('labels its field, and is reached from the console', () => {
    expect(page).toContain('<label for="key"');
    expect(CONSOLE_FILES.get('/')?.text).toContain('href="/teams"');
  });
});

describe('the calls of a management key', () => {
  const KEY = 'sk-hr-mgmt-of-this-test';
  const answer = vi.fn<(path: string, init: RequestInit) => Promise<Response>>();
  beforeEach(() => {
    answer.mockReset().mockImplementation(async () => Response.json({ data: [], next_cursor: null }));
    vi.stubGlobal('fetch', answer);
  });

  it.each([
    ['describeKey', [], 'GET', '/v1/key'],
    ['listTeams', [100], 'GET', '/v1/teams?offset=100'],
    ['findTeam', ['a b'], 'GET', '/v1/teams/a%20b'],
    ['listKeys', ['a&b', 0], 'GET', '/v1/keys?workspace_id=a%26b&include_disabled=true&offset=0'],
    ['sumUsage', [{ team: 'a', by: 'day', since: '2026-11-22' }], 'GET', '/v1/usage?team=a&by=day&since=2026-11-22'],
    ['listChanges', [null], 'GET', '/v1/audit?limit=50'],
    ['listChanges', ['1_x'], 'GET', '/v1/audit?limit=50&cursor=1_x'],
    ['createKey', [{ name: 'ci' }], 'POST', '/v1/keys'],
    ['switchKey', ['aa', true], 'PATCH', '/v1/keys/aa'],
    ['rotateKey', ['aa', 0], 'POST', '/v1/keys/aa/rotate'],
  ])('%s%j is %s %s, with the key in its header alone and an end to waiting', async (name, values, method, path) => {
    await (await loadPart('manage'))[name]?.(KEY as never, ...(values as never[]));
    const [asked, init] = answer.mock.calls[0] ?? [];
    expect([init?.method, asked]).toEqual([method, path]);
    expect(init?.headers).toMatchObject({ authorization: `Bearer ${KEY}` });
    expect(JSON.stringify([asked, init?.body])).not.toContain(KEY);
    expect(init?.signal).toBeInstanceOf(AbortSignal);
  });

  it.each([
    [99, null],
    [100, 300],
  ])('a page of %d teams is followed by %j', async (count, next) => {
    answer.mockResolvedValue(Response.json({ data: Array.from({ length: count }, () => ({})) }));
    expect(await (await loadPart('manage'))['listTeams']?.(KEY as never, 200 as never)).toMatchObject({ next });
  });

  it('is kept beside the key to ask with, for this tab', async () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('sessionStorage', {
      setItem: (item: string, value: string) => kept.set(item, value),
      getItem: (item: string) => kept.get(item) ?? null,
    });
    const part = (await loadPart('key')) as unknown as {
      MANAGEMENT_KEY_ITEM: string;
      rememberKey(key: string, item?: string): void;
      recallKey(item?: string): string;
    };
    part.rememberKey('sk-hr-inference');
    part.rememberKey(KEY, part.MANAGEMENT_KEY_ITEM);
    expect([part.recallKey(), part.recallKey(part.MANAGEMENT_KEY_ITEM)]).toEqual(['sk-hr-inference', KEY]);
  });
});
