import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';
import { NODE_FLAGS } from '#scripts/bootstrap.mjs';
import { PATIENCE } from '#test/support/patience';

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

const UNIT_FILES = 'test/{schema,providers,src,cli,console,devnet,engine,bench,scripts}/**/*.test.ts';
/** Only what never ends runs into a limit: all of them are far above what a slow machine needs. */
const LIMITS = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: PATIENCE.timeout } } };
const UNIT = { ...LIMITS, execArgv: NODE_FLAGS, unstubGlobals: true, maxWorkers: 2, setupFiles: ['test/support/seeded-properties.ts'] };
/** Files that put another module in the place of one: what they import must be nobody else's. */
const MOCKING = globSync(UNIT_FILES, { cwd: import.meta.dirname }).filter((file) =>
  readFileSync(join(import.meta.dirname, file), 'utf8').includes('vi.mock('),
);

/** Tests that run the whole Worker in workerd, four files at a time: most of them wait for something. */
const WHOLE_WORKER = { ...LIMITS, execArgv: NODE_FLAGS, maxWorkers: 4, isolate: false };

/** `unit`: pure, plain Node; files share their modules, because loading them anew takes longer than the tests. `flow`: what the Worker promises. `clients`: the same through other people's SDKs. `real-node`: a llama.cpp that is installed apart, `npm test` does it. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [consoleAsText],
        test: { name: 'unit', include: [UNIT_FILES], exclude: MOCKING, isolate: false, ...UNIT },
      },
      { test: { name: 'unit-mocking', include: MOCKING, ...UNIT } },
      { test: { name: 'flow', include: ['test/flow/**/*.test.ts'], ...WHOLE_WORKER } },
      { test: { name: 'real-node', include: ['test/real-node/**/*.test.ts'], ...WHOLE_WORKER } },
      { test: { name: 'clients', include: ['test/clients/**/*.test.ts'], ...WHOLE_WORKER } },
    ],
  },
});
