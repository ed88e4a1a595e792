import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '#cli/dev/environment';
import { exampleModel, greet } from '#cli/dev/greeting';
import { localKeys } from '#cli/dev/local-key';
import { activeProviders, requireClientKeys, upstreamBindings } from '#cli/dev/resolve-keys';
import { pointAtDevnet } from '#cli/dev/start-devnet';
import { workerOptions } from '#cli/dev/worker-options';
import { manifest as manifestSchema, type Manifest } from '#schema/manifest';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-local-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parse = (fields: object): Manifest => manifestSchema.parse({ version: 1, ...fields });

describe('the local keys', () => {
  it('K7: are made once for each state directory, in a file that only its owner reads', () => {
    const keys = localKeys(folder);
    expect(keys.inference).toMatch(/^sk-hr-[\w-]{43}$/);
    expect(keys.management).toMatch(/^sk-hr-mgmt-[\w-]{43}$/);
    expect(localKeys(folder)).toEqual(keys);
    expect(statSync(path.join(folder, 'headrace/keys.json')).mode & 0o777).toBe(0o600);
    expect(localKeys(null).inference).not.toBe(keys.inference);
  });

  it('are made anew when their file is broken, and a file from before there were two keeps its one', () => {
    const file = path.join(folder, 'headrace/keys.json');
    localKeys(folder);
    writeFileSync(file, '{');
    expect(localKeys(folder).inference).toMatch(/^sk-hr-/);
    writeFileSync(file, '{"local":"sk-hr-kept"}');
    expect(localKeys(folder).inference).toBe('sk-hr-kept');
    expect(localKeys(folder)).toEqual(localKeys(folder));
  });
});

describe('the environment', () => {
  it('takes .dev.vars over the process, and nothing for something empty', () => {
    writeFileSync(path.join(folder, '.dev.vars'), 'A_KEY=file\nQUOTED="two words"\nEMPTY=\n');
    expect(readEnvironment(folder, { A_KEY: 'process', B_KEY: 'b', EMPTY: 'x' })).toEqual({
      A_KEY: 'file',
      QUOTED: 'two words',
      B_KEY: 'b',
    });
  });
});

describe('keys in the manifest', () => {
  const team = (key: object): Manifest => parse({ teams: [{ id: 't', keys: [{ name: 'ci', ...key }] }] });
  const good = `sk-hr-${'x'.repeat(20)}`;

  it('that are not set are named and left out', () => {
    expect(requireClientKeys(team({ secret: 'CI_KEY' }), {})).toEqual({
      keys: new Map(),
      missing: ['key ci of team t (CI_KEY is not set)'],
    });
  });

  it('must look like keys of their kind; the message does not repeat them', () => {
    for (const value of ['secret-value-of-mine', 'sk-hr-short', `sk-hr-mgmt-${'x'.repeat(20)}`]) {
      const resolve = () => requireClientKeys(team({ value }), {});
      expect(resolve).toThrow(/key ci of team t: a key starts with sk-hr-/);
      expect(resolve).not.toThrow(value);
    }
    expect(requireClientKeys(team({ value: good }), {}).keys.size).toBe(1);
  });

  it('must differ from each other', () => {
    const twice = parse({
      teams: [
        {
          id: 't',
          keys: [
            { name: 'a', value: good },
            { name: 'b', value: good },
          ],
        },
      ],
    });
    expect(() => requireClientKeys(twice, {})).toThrow('key b of team t has the same value as key a of team t');
  });

  it('of upstreams become bindings; literal ones under a name made from their hash', () => {
    const manifest = parse({
      providers: [
        { id: 'groq', key: { secret: 'MY_GROQ' } },
        { id: 'together', key: { value: 'abc' } },
      ],
    });
    const bindings = upstreamBindings(manifest, { MY_GROQ: 'g', CHUTES_API_KEY: 'c', HOME: '/root' });
    expect(bindings).toEqual({ MY_GROQ: 'g', CHUTES_API_KEY: 'c', LITERAL_BA7816BF8F01: 'abc' });
    expect(activeProviders(manifest, { MY_GROQ: 'g', CHUTES_API_KEY: 'c' }).toSorted()).toEqual(['chutes', 'groq', 'together']);
  });
});

describe('the devnet', () => {
  it('is followed to another port, and other ports are left alone', () => {
    const text = 'url: http://127.0.0.1:9100/a/v1\nurl: http://127.0.0.1:91001/v1';
    expect(pointAtDevnet(text, 'http://127.0.0.1:5')).toBe('url: http://127.0.0.1:5/a/v1\nurl: http://127.0.0.1:91001/v1');
  });
});

describe('the greeting', () => {
  const endpoint = (id: string, model: string, supply: string): object => ({ id, model, supply, url: 'http://127.0.0.1:1/v1' });
  const manifest = parse({
    endpoints: [endpoint('a', 'one/kind', 'subnet'), endpoint('b', 'two/kinds', 'subnet'), endpoint('c', 'two/kinds', 'centralized')],
  });

  const said = greet({
    url: 'http://localhost:1',
    key: 'sk-hr-k',
    managementKey: 'sk-hr-mgmt-k',
    manifest,
    activeProviders: [],
    missingKeys: [],
    stateDir: 'x',
    devnetUrl: null,
    realNodeUrl: null,
  }).join('\n');

  it('shows the model that most supply kinds serve, and both keys', () => {
    expect(exampleModel(manifest)).toBe('two/kinds');
    expect(said).toContain('"model":"two/kinds","stream":true');
    expect(said).toContain('real providers on: none');
    expect(said).toMatch(/key: +sk-hr-k\n[^\n]*sk-hr-mgmt-k/);
    expect(said).toContain('--persist-to x');
  });

  it('names only files that a fresh clone has', () => {
    const files = said.match(/\S+\.yaml/g) ?? [];
    expect(files).not.toEqual([]);
    expect(files.filter((file) => !existsSync(path.resolve(import.meta.dirname, '../../..', file)))).toEqual([]);
  });
});

describe('the local Worker', () => {
  const toml = readFileSync(path.resolve(import.meta.dirname, '../../../wrangler.toml'), 'utf8');
  const [worker] = workerOptions({ script: '', port: 0, stateDir: null, bindings: {}, log: () => {} }).workers;
  const config = worker?.config as
    | { compatibilityDate: string; compatibilityFlags: string[]; env: { DB: { id: string } }; exports: object }
    | undefined;

  it('has the settings of wrangler.toml', () => {
    expect(toml).toContain(`compatibility_date = "${config?.compatibilityDate}"`);
    expect(toml).toContain(`compatibility_flags = [${config?.compatibilityFlags.map((flag) => `"${flag}"`).join(', ')}]`);
    expect(toml).toContain(`database_id = "${config?.env.DB.id}"`);
    for (const name of Object.keys(config?.exports ?? {})) expect(toml).toContain(`new_sqlite_classes = ["${name}"]`);
  });
});
