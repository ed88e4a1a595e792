import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sealBindings } from '#cli/dev/seal-key';
import { readSealSecret } from '#src/byok/seal';

let stateDir: string;
const file = () => path.join(stateDir, 'headrace', 'seal-key');

beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'headrace-seal-'));
});
afterEach(() => rm(stateDir, { recursive: true }));

describe('the secret that seals provider keys', () => {
  it('is made once for a state directory, in a file that only its owner reads', async () => {
    const { HEADRACE_SEAL_KEY: secret } = sealBindings(stateDir, {});
    expect(readSealSecret(secret)).toHaveLength(32);
    expect(sealBindings(stateDir, {})).toEqual({ HEADRACE_SEAL_KEY: secret });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  it('is another one where nothing is kept', () => {
    expect(sealBindings(null, {})).not.toEqual(sealBindings(null, {}));
  });

  it('K14: is the environment’s where it has one, with the one before it', async () => {
    const environment = { HEADRACE_SEAL_KEY: '11'.repeat(32), HEADRACE_SEAL_KEY_PREVIOUS: '22'.repeat(32), OTHER: 'x' };
    const { OTHER: _, ...ours } = environment;
    expect(sealBindings(stateDir, environment)).toEqual(ours);
    await expect(stat(file())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('K12: is made anew where the file holds none', async () => {
    sealBindings(stateDir, {});
    await writeFile(file(), '\n', { mode: 0o644 });
    const { HEADRACE_SEAL_KEY: secret } = sealBindings(stateDir, {});
    expect((await readFile(file(), 'utf8')).trim()).toBe(secret);
    expect(readSealSecret(secret)).not.toBeNull();
  });
});
