/** Applies migrations to a local D1 database as `wrangler d1 migrations apply` would: same files, same table of applied ones. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Separates statements in the files that drizzle-kit writes. */
const BREAKPOINT = '--> statement-breakpoint';

/** Applies what is new, each file in one transaction, and returns the names of the files that it applied. */
export async function migrate(db: D1Database, folder: string): Promise<string[]> {
  await db.prepare(MIGRATIONS_TABLE).run();
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql') && !applied.has(name));
  files.sort();
  for (const name of files) {
    const statements = readFileSync(path.join(folder, name), 'utf8').split(BREAKPOINT);
    const texts = statements.map((text) => text.trim()).filter((text) => text !== '');
    await db.batch([...texts.map((text) => db.prepare(text)), db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name)]);
  }
  return files;
}
