/** Runs a file of the house on Node 24: `node scripts/run.mjs FILE …args`. */
import path from 'node:path';
import { runFile } from './bootstrap.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node scripts/run.mjs FILE …args\n');
  process.exit(1);
}
await runFile(path.resolve(file), args, { ownGroup: true });
