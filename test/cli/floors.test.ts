import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** File → a line that breaks a rule of the house → the rule that must say so. */
const VIOLATIONS: [file: string, source: string, rule: string][] = [
  ['schema/a.ts', "import '#providers/registry';", 'house(floors)'],
  ['schema/b.ts', "import type { X } from '#src/serve';", 'house(floors)'],
  ['providers/a.ts', "import '#src/routing/plan';", 'house(floors)'],
  ['providers/b.ts', "import 'hono';", 'house(floors)'],
  ['src/routing/a.ts', "import '#src/ledger/price';", 'house(floors)'],
  ['src/routing/b.ts', "import type { X } from '#providers/provider';", 'house(floors)'],
  ['src/routing/c.ts', "import '../ledger/price.ts';", 'house(floors)'],
  ['src/routing/d.ts', "export * from '#src/context';", 'house(floors)'],
  ['src/routing/e.ts', "export const load = () => import('#src/api/app');", 'house(floors)'],
  ['src/catalog/a.ts', "import 'hono';", 'house(floors)'],
  ['src/catalog/b.ts', "import 'drizzle-orm';", 'house(floors)'],
  ['src/catalog/c.ts', "import 'cloudflare:workers';", 'house(floors)'],
  ['src/dispatch/a.ts', "import '#src/routing/plan';", 'house(floors)'],
  ['src/manifest/a.ts', "import '#providers/registry';", 'house(floors)'],
  ['src/jobs/a.ts', "import '#src/api/app';", 'house(floors)'],
  ['src/serve.ts', "import '#src/api/app';", 'house(floors)'],
  ['src/api/a.ts', "import '#providers/registry';", 'house(floors)'],
  ['src/api/b.ts', "import 'drizzle-orm';", 'house(floors)'],
  ['devnet/a.ts', "import '#schema/money';", 'house(floors)'],
  ['src/catalog/d.ts', "export const read = (db: D1Database) => db.prepare('select 1');", 'house(secrets)'],
  ['src/ledger/a.ts', "export const read = (state: DurableObjectState) => state.storage.sql.exec('select 1');", 'house(secrets)'],
  ['src/ledger/b.ts', 'export function read(env: Env): unknown { return env; }', 'house(secrets)'],
  ['src/health/a.ts', "export const isOdd = (id: string) => id === 'chutes';", 'house(vendor-names)'],
  ['schema/c.ts', 'export default 1;', 'import(no-default-export)'],
  ['schema/d.ts', 'export const loose: any = 1;', 'typescript(no-explicit-any)'],
  ['schema/e.ts', 'export function f(): void { Promise.resolve(1); }', 'typescript(no-floating-promises)'],
  ['src/routing/left.ts', "import { right } from './right.ts'; export const left = (): number => right();", 'import(no-cycle)'],
  ['src/routing/right.ts', "import { left } from '#src/routing/left'; export const right = (): number => left();", 'import(no-cycle)'],
];

/** Lines that every rule must let pass. */
const ALLOWED: [file: string, source: string][] = [
  ['src/dispatch/ok.ts', "import '#src/health/board'; import '#providers/registry'; import '#schema/money';"],
  ['src/api/ok.ts', "import 'hono'; import '#src/serve'; import '#src/catalog/store';"],
  ['src/catalog/store.ts', "import 'drizzle-orm'; export const read = (db: D1Database) => db.prepare('select 1');"],
  ['src/ledger/account-store.ts', "export const read = (state: DurableObjectState) => state.storage.sql.exec('select 1');"],
  ['src/ledger/account.ts', "import 'cloudflare:workers';"],
  ['src/index.ts', "import './serve.ts'; import '#src/api/app'; export default {};"],
  ['cli/ok.ts', "import '#src/manifest/parse'; import '#providers/registry';"],
];

const root = path.resolve(import.meta.dirname, '../..');
const house = mkdtempSync(path.join(tmpdir(), 'headrace-floors-'));
const found = new Map<string, string[]>();

function write(file: string, source: string): void {
  mkdirSync(path.dirname(path.join(house, file)), { recursive: true });
  writeFileSync(path.join(house, file), `${source}\n`);
}

/** Runs the linter once over the copy; it exits with 1 because of what it finds. */
function lint(): string {
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint');
  try {
    return execFileSync(process.execPath, [oxlint, '--type-aware', '--format', 'json'], { cwd: house, encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout: unknown }).stdout);
  }
}

beforeAll(() => {
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts/lint'])
    cpSync(path.join(root, file), path.join(house, file), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(house, 'node_modules'));
  write('providers/subnet/chutes.ts', 'export const card = {};');
  for (const [file, source] of [...VIOLATIONS, ...ALLOWED]) write(file, source);
  const report = JSON.parse(lint()) as { diagnostics: { code: string; filename: string; severity: string }[] };
  for (const { code, filename, severity } of report.diagnostics)
    if (severity === 'error') found.set(filename, [...(found.get(filename) ?? []), code]);
});

afterAll(() => rmSync(house, { recursive: true, force: true }));

describe('the linter enforces the house', () => {
  it.each(VIOLATIONS)('%s: %s is refused', (file, _source, rule) => expect(found.get(file)).toContain(rule));
  it.each(ALLOWED)('%s: %s passes', (file) => expect(found.get(file)).toBeUndefined());
});
