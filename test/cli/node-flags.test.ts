import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { NODE_FLAGS } from '#scripts/bootstrap.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-flags-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('every Node of the house compiles no wrapper that V8 could free twice', () => {
  it('in the tests', () => {
    expect(process.execArgv).toEqual(expect.arrayContaining(NODE_FLAGS));
  });

  it('in what the scripts start', async () => {
    const file = path.join(folder, 'flags.mjs');
    writeFileSync(file, 'console.log(JSON.stringify(process.execArgv)); process.disconnect?.();');
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/run.mjs', file], {
      cwd: path.resolve(import.meta.dirname, '../..'),
    });
    expect(JSON.parse(stdout)).toEqual(NODE_FLAGS);
  });
});
