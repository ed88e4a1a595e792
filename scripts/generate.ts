/**
 * Writes what is generated: D1 migrations from schema/*tables.ts, the manifest's JSON Schema from schema/manifest.ts, the table of
 * docs/policies.md, and the description of the API that the Worker serves, from the descriptions in src/api/openapi and the contracts.
 * With `--check` writes nothing and exits with 1 when something generated is out of date.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { manifest } from '#schema/manifest';
import { RESOLUTION_TABLE } from '#schema/resolution-table';
import { buildOpenapi } from '#src/api/openapi/build';
import { printJson } from './print-json.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const MIGRATIONS = 'schema/migrations';
const SCHEMA_URL = 'https://json-schema.org/draft/2020-12/schema';

/** Builds the JSON Schema that editors use: what a person writes, before defaults are filled in. */
function manifestSchema(): string {
  const { $schema: _version, ...schema } = z.toJSONSchema(manifest, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' });
  return `${JSON.stringify({ $schema: SCHEMA_URL, ...schema }, null, 2)}\n`;
}

/** Fills the table of who wins into the page on policies, between its marks. */
function policiesPage(): string {
  const page = readFileSync(path.join(ROOT, 'docs/policies.md'), 'utf8');
  const rows = RESOLUTION_TABLE.map(({ field, kind, law }) => `| \`${field}\` | ${kind} | ${law} |`);
  const table = ['| field | kind | what holds when levels differ |', '|---|---|---|', ...rows].join('\n');
  return page.replace(/(<!-- resolution:begin -->\n)[^]*?(<!-- resolution:end -->)/, (_, begin, end) => `${begin}${table}\n${end}`);
}

/** Generated files and what belongs into them. */
const FILES: Readonly<Record<string, () => string>> = {
  'schema/manifest.schema.json': manifestSchema,
  'docs/policies.md': policiesPage,
  'console/openapi.json': () => `${printJson(buildOpenapi())}\n`,
};

/** Lets drizzle-kit compare the tables with the newest snapshot in a folder, and returns the names of new files. */
function generateMigrations(folder: string): string[] {
  const before = new Set(readdirSync(path.join(ROOT, folder)));
  const drizzleKit = path.join(ROOT, 'node_modules/drizzle-kit/bin.cjs');
  const args = ['generate', '--dialect', 'sqlite', '--schema', './schema/*tables.ts', '--out', folder];
  execFileSync(process.execPath, [drizzleKit, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  return readdirSync(path.join(ROOT, folder)).filter((name) => !before.has(name));
}

function generate(): void {
  for (const [file, print] of Object.entries(FILES)) writeFileSync(path.join(ROOT, file), print());
  const added = generateMigrations(MIGRATIONS);
  console.log(`${Object.keys(FILES).join(', ')}; migrations: ${added.length === 0 ? 'up to date' : added.join(', ')}`);
}

/** Lists what is out of date. Migrations are generated into a copy. */
function findDrift(): string[] {
  const drift = Object.entries(FILES).flatMap(([file, print]) => (readFileSync(path.join(ROOT, file), 'utf8') === print() ? [] : [file]));
  const copy = path.relative(ROOT, mkdtempSync(path.join(ROOT, 'node_modules/.drift-')));
  try {
    cpSync(path.join(ROOT, MIGRATIONS), path.join(ROOT, copy), { recursive: true });
    if (generateMigrations(copy).length > 0) drift.push(MIGRATIONS);
  } finally {
    rmSync(path.join(ROOT, copy), { recursive: true, force: true });
  }
  return drift;
}

if (process.argv.includes('--check')) {
  const drift = findDrift();
  if (drift.length > 0) {
    console.error(`out of date: ${drift.join(', ')}; run \`npm run generate\` and commit the result`);
    process.exitCode = 1;
  }
} else {
  generate();
}
