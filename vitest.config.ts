import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

const TEXT_PREFIX = '\0text:';

/** Imports behind the doorway `#console/` give text, as esbuild does by itself for `with { type: 'text' }`. */
const consoleAsText: Plugin = {
  name: 'console-as-text',
  enforce: 'pre',
  resolveId: (source) => (source.startsWith('#console/') ? `${TEXT_PREFIX}${source.slice(1)}` : null),
  load(id) {
    if (!id.startsWith(TEXT_PREFIX)) return null;
    return `export default ${JSON.stringify(readFileSync(join(import.meta.dirname, id.slice(TEXT_PREFIX.length)), 'utf8'))}`;
  },
};

/** `unit`: pure, plain Node. `flow`: the whole Worker in workerd, at most two files at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [consoleAsText],
        test: {
          name: 'unit',
          include: ['test/{schema,providers,src,cli,console,devnet,bench}/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'flow',
          include: ['test/flow/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
