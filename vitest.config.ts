import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

const TEXT_PREFIX = '\0text:';
/** Keeps the runner from reading JSON by its name. */
const TEXT_SUFFIX = '.text';

/** Imports behind the doorway `#console/` give text, as esbuild does by itself for `with { type: 'text' }`. */
const consoleAsText: Plugin = {
  name: 'console-as-text',
  enforce: 'pre',
  resolveId: (source) => (source.startsWith('#console/') ? `${TEXT_PREFIX}${source.slice(1)}${TEXT_SUFFIX}` : null),
  load(id) {
    if (!id.startsWith(TEXT_PREFIX)) return null;
    return `export default ${JSON.stringify(readFileSync(join(import.meta.dirname, id.slice(TEXT_PREFIX.length, -TEXT_SUFFIX.length)), 'utf8'))}`;
  },
};

/** Tests that run the whole Worker in workerd: at most two files at a time. */
const WHOLE_WORKER = { testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 };

/** `unit`: pure, plain Node. `flow`: what the Worker promises. `clients`: the same through other people's SDKs. */
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
      { test: { name: 'flow', include: ['test/flow/**/*.test.ts'], ...WHOLE_WORKER } },
      { test: { name: 'clients', include: ['test/clients/**/*.test.ts'], ...WHOLE_WORKER } },
    ],
  },
});
