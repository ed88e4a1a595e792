import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const HOUSE = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(HOUSE, file), 'utf8');

/** Files and folders of the repository. */
const PLACES = globSync('**/*', { cwd: HOUSE, exclude: (name) => /(^|\/)(node_modules|\.[^/]+)$/.test(name) });
const PAGES = PLACES.filter((place) => place.endsWith('.md')).map((page) => ({ page, text: read(page) }));

/** All that the pattern's first group finds. */
const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, what = '']) => what);
/** What a page says itself, without the blocks of what a reader types and sees. */
const proseOf = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '');
/** What a link to a heading says, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
const isPlace = (name: string): boolean => PLACES.some((place) => place === name || place.endsWith(`/${name}`));

it.each(PAGES)('every link of $page leads to a file and heading of the repository', ({ page, text }) => {
  const links = found(proseOf(text), /\]\(([^)\s]+)\)/g).filter((link) => !/^(https?|mailto):/.test(link));
  const broken = links.filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : path.join(path.dirname(page), file);
    if (!PLACES.includes(target)) return true;
    return anchor !== undefined && !found(read(target), /^#+ (.+)$/gm).some((heading) => anchorOf(heading) === anchor);
  });
  expect(broken).toEqual([]);
});

it.each(PAGES)('every source file and folder that $page names exists', ({ text }) => {
  const files = found(proseOf(text), /`([\w./-]+\.(?:ts|mjs))`/g);
  const folders = found(proseOf(text), /`([\w-]+(?:\/[\w-]+)*)\/`/g);
  expect([...files, ...folders].filter((name) => !isPlace(name))).toEqual([]);
});

it.each(PAGES)('every command of npm that $page names exists', ({ text }) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  expect(found(text, /npm run ([\w:]+)/g).filter((name) => !(name in scripts))).toEqual([]);
});

it('every test that the table of hazards names exists', () => {
  const rows = read('docs/hazards.md').match(/^\|.*\|$/gm) ?? [];
  const named = rows.flatMap((row) => found(row.split('|').at(-2) ?? '', /`([\w-]+\/[\w/-]+)`/g));
  const tests = PLACES.filter((place) => place.startsWith('test/')).map((place) => place.replace(/(\.properties)?(\.test)?\.ts$/, ''));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !tests.some((place) => place.endsWith(`/${name}`)))).toEqual([]);
});
