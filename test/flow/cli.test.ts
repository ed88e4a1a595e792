import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'headrace-cli-'));
const SITE_KEY = 'sk-hr-site-000000000000000000';

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'rig' }, { id: 'spare', price: { prompt: 3, completion: 6 } }],
    manifest: { policies: { frugal: { optimize: 'price' } }, teams: [{ id: 'testers' }, { id: 'lab', policy: 'frugal' }] },
    stateDir: folder,
  });
  house.upstream.script('rig', answer());
});

afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the real command as a process of its own, against the house, with the keys that the house keeps. */
async function headrace(...argv: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...argv, '--url', house.url, '--state', folder], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SITE_KEY, HEADRACE_KEY: '', HEADRACE_URL: '' },
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await closed, out, err };
}

async function json<Answer>(...argv: string[]): Promise<Answer> {
  const { code, out, err } = await headrace(...argv, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Answer;
}

function writeManifest(name: string, manifest: object): string {
  const file = path.join(folder, name);
  writeFileSync(file, stringify({ version: 1, ...manifest }));
  return file;
}

const endpoint = (id: string): object => ({
  id,
  model: MODEL,
  upstream_model: 'echo-1-upstream',
  url: house.upstream.url(id),
  context: 32_768,
  max_output: 4096,
  price: { prompt: 1, completion: 2 },
});

describe('the command line against a running router', () => {
  it('makes a key that works, tells where its request went and what it cost, and ends it', async () => {
    const made = await headrace('keys', 'create', '--team', 'lab', '--name', 'mine', '--limit', '1', '--reset', 'daily', '--quiet');
    expect(made).toEqual({ code: 0, out: expect.stringMatching(/^sk-hr-\S+\n$/), err: '' });
    const ask = (key: string): Promise<Response> => house.chat({}, { headers: { authorization: `Bearer ${key}` } });
    const key = made.out.trim();
    const answered = await ask(key);
    expect(answered.status).toBe(200);
    const id = answered.headers.get('x-generation-id') ?? '';
    await answered.text();
    await house.receiptRow(id);

    const story = await headrace('receipts', 'show', id);
    expect(story.out).toMatch(/team +lab/);
    expect(story.out).toMatch(/policy +frugal \(version \d+\)/);
    expect(story.out).toMatch(/1 +rig +.*completed/);
    const explained = await headrace('explain', '--model', MODEL, '--key', key);
    expect(explained.out).toMatch(/1 +rig +selfhosted/);
    expect(explained.out).toMatch(/policy frugal \(version \d+\)/);
    const usage = await headrace('usage', '--by', 'key', '--team', 'lab', '--csv');
    expect(usage.out).toMatch(/^key,name,team,requests.*\r\n[^,]+,mine,lab,1,0,/);

    const rotated = (await headrace('keys', 'rotate', 'mine', '--overlap', '0s', '--quiet')).out.trim();
    expect(rotated).not.toBe(key);
    expect([(await ask(key)).status, (await ask(rotated)).status]).toEqual([401, 200]);
    expect((await headrace('keys', 'disable', 'mine')).out).toBe('key mine of team lab is disabled\n');
    expect((await ask(rotated)).status).toBe(401);
  });

  it('adds credits once', async () => {
    const add = ['credits', 'add', '--team', 'lab', '--usd', '20', '--id', 'inv-7'];
    expect((await headrace(...add)).out).toMatch(/^added \$20\.00 to team lab/);
    expect((await headrace(...add)).out).toMatch(/^inv-7 was added before/);
    expect((await headrace('teams', 'lab')).out).toMatch(/credits +\$\d+\.\d+ of \$\d+\.\d+ left/);
  });

  it('shows what a manifest would change, changes nothing, then applies exactly that', async () => {
    const file = writeManifest('headrace.yaml', {
      policies: { frugal: { optimize: 'price' } },
      teams: [
        { id: 'testers' },
        { id: 'lab', policy: 'frugal' },
        { id: 'web', policy: 'frugal', budget: { usd: 5, per: 'day' }, keys: [{ name: 'site', secret: 'SITE_KEY' }] },
      ],
      endpoints: [endpoint('rig')],
    });
    const planned = await headrace('apply', file, '--dry-run', '--exit-code');
    expect(planned.code).toBe(10);
    expect(planned.out).toMatch(/teams\n(?: .*\n)*? {2}\+ web/);
    expect((await json<{ data: { id: string }[] }>('teams')).data.map(({ id }) => id)).toEqual(['lab', 'testers']);

    const [, plan = ''] = /--plan (\S+)/.exec(planned.out) ?? [];
    const applied = await headrace('apply', file, '--plan', plan);
    expect(applied).toMatchObject({ code: 0, err: '' });
    expect(applied.out.trimEnd().split('\n').at(-1)).toMatch(/^applied version \d+ \(.*teams \+1.*\)$/);
    expect(await headrace('apply', file, '--yes')).toMatchObject({ code: 0, out: expect.stringContaining('nothing to change') });
    expect((await headrace('policies', 'frugal')).out).toContain('optimize: price');
    expect((await headrace('audit')).out).toContain('manifest.apply');
  });

  it('a manifest with mistakes changes nothing, and says where they are', async () => {
    const file = writeManifest('bad.yaml', { teams: [{ id: 'web', budget: { usd: 0, per: 'day' } }] });
    const { code, err } = await headrace('apply', file, '--yes');
    expect(code).toBe(1);
    expect(err).toMatch(/^headrace: .*bad\.yaml:\d+:\d+: teams\[0\]\.budget\.usd: /);
  });

  it('a dry run is refused when something has changed since', async () => {
    const file = writeManifest('next.yaml', { teams: [{ id: 'testers' }, { id: 'lab' }], endpoints: [endpoint('rig')] });
    const [, plan = ''] = /--plan (\S+)/.exec((await headrace('apply', file, '--dry-run')).out) ?? [];
    writeManifest('next.yaml', { teams: [{ id: 'testers' }, { id: 'lab' }, { id: 'other' }], endpoints: [endpoint('rig')] });
    const { code, err } = await headrace('apply', file, '--plan', plan);
    expect(code).toBe(1);
    expect(err).toContain('nothing applied');
    expect((await json<{ data: { id: string }[] }>('teams')).data.map(({ id }) => id)).not.toContain('other');
  });
});
