import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { run } from '#cli/program';
import type { ReplayReport } from '#cli/replay/report';
import { MODEL, openHouse, type EndpointSpec, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'headrace-replay-'));
const stateDir = path.join(folder, 'state');
const CLINIC = 'sk-hr-clinic-000000000000000';

/** Prices so far apart that no draw chooses otherwise. */
const NOTHING_KEPT = { trains: false, retention_days: 0, source: 'contract' };
const ENDPOINTS: EndpointSpec[] = [
  { id: 'cheap', supply: 'subnet', price: { prompt: 1, completion: 1 }, capabilities: [] },
  { id: 'middle', supply: 'centralized', price: { prompt: 6, completion: 6 } },
  { id: 'safe', price: { prompt: 36, completion: 36 }, data_policy: NOTHING_KEPT },
  { id: 'grand', model: 'test/grand', price: { prompt: 50, completion: 50 } },
];

const clinic = { id: 'clinic', policy: 'careful', keys: [{ name: 'ward', value: CLINIC }] };
const BEFORE = {
  defaults: { policy: 'base' },
  policies: { base: {}, careful: {}, thrifty: { optimize: 'price' }, picky: { order: ['middle'] } },
  teams: [{ id: 'testers' }, clinic],
};
/** The clinic keeps nothing, testers pay little and get a smaller model where the grand one costs too much; a request's own policy changes sides. */
const AFTER = {
  defaults: { policy: 'base' },
  policies: {
    base: { models: { fallbacks: { 'test/grand': [MODEL] } } },
    careful: { zdr: true },
    thrifty: { optimize: 'price', max_price: { prompt: 20 } },
    picky: { ignore: ['cheap', 'middle'], max_price: { prompt: 30 } },
  },
  teams: [{ id: 'testers', policy: 'thrifty' }, clinic],
};

interface Wish {
  body: Record<string, unknown>;
  headers?: Record<string, string>;
}

const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }];
const asClinic = { authorization: `Bearer ${CLINIC}` };
const REQUESTS: Wish[] = [
  { body: {} },
  { body: { stream: true } },
  { body: { tools: TOOLS } },
  { body: { max_tokens: 50 } },
  { body: { provider: { ignore: ['cheap'] } } },
  { body: { provider: { only: ['safe'] } } },
  { body: { provider: { policy: 'picky' } } },
  { body: {}, headers: { 'x-headrace-policy': 'picky' } },
  { body: { model: `${MODEL}:nitro`, provider: { ignore: ['middle'] } } },
  { body: { model: 'test/grand' } },
  { body: { model: 'test/grand', models: [MODEL] } },
  { body: {}, headers: asClinic },
  { body: { tools: TOOLS, stream: true }, headers: asClinic },
  { body: { provider: { ignore: ['safe'] } }, headers: asClinic },
  { body: { provider: { supply: { only: ['subnet'] } } }, headers: asClinic },
];

/** Opens the house on the same state and scripts its endpoints. */
async function open(manifest: Record<string, unknown>): Promise<House> {
  const house = await openHouse({ endpoints: ENDPOINTS, manifest, stateDir });
  for (const { id } of ENDPOINTS) house.upstream.script(id, answer());
  return house;
}

/** Sends all requests one after the other; gives the endpoint that served each, null for those refused, with their ids. */
async function sendAll(house: House): Promise<{ id: string; endpoint: string | null }[]> {
  const served = [];
  for (const { body, headers = {} } of REQUESTS) {
    const response = await house.chat(body, { headers });
    await response.text();
    served.push({ id: response.headers.get('x-generation-id') ?? '', endpoint: response.headers.get('x-headrace-endpoint') });
  }
  return served;
}

function manifestFile(name: string, manifest: Record<string, unknown>): string {
  const file = path.join(folder, name);
  writeFileSync(file, stringify({ version: 1, ...manifest }));
  return file;
}

async function replay(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await run(['replay', ...args, '--state', stateDir], {
    writeOut: (text) => void (out += text),
    writeErr: (text) => void (err += text),
  });
  return { code, out, err };
}

let house: House;
let served: Awaited<ReturnType<typeof sendAll>>;
let span: string[];

beforeAll(async () => {
  const since = new Date(Date.now() - 1_000).toISOString();
  house = await open(BEFORE);
  served = await sendAll(house);
  for (const { id } of served) if (id !== '') await house.receiptRow(id);
  span = ['--since', since, '--until', new Date(Date.now() + 60_000).toISOString()];
});
afterAll(async () => {
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('headrace replay', () => {
  it('reports zero changes for policies that have not changed, and finds every recorded choice again', async () => {
    const { code, out, err } = await replay('--policy', manifestFile('same.yaml', BEFORE), ...span, '--url', house.url, '--json');
    expect([code, err]).toEqual([0, expect.stringContaining('requests planned again')]);
    const report = JSON.parse(out) as ReplayReport;
    expect(report).toMatchObject({ recorded: REQUESTS.length, replayed: REQUESTS.length });
    expect(report.total).toMatchObject({ changed: 0, refused: 0, newly_served: 0 });
    expect(report.fidelity.same_catalogue).toEqual({ same_first: REQUESTS.length, other_first: 0 });
    expect(report.total.cost_usd.after).toBe(report.total.cost_usd.before);
  });

  it('prints the same bytes in every process', async () => {
    const args = ['--policy', manifestFile('after.yaml', AFTER), ...span, '--url', house.url, '--json', '--state', stateDir];
    const inProcess = async () => (await promisify(execFile)(process.execPath, [path.join(ROOT, 'cli/main.ts'), 'replay', ...args])).stdout;
    const here = await replay(...args);
    expect(here.code).toBe(0);
    expect(await inProcess()).toBe(here.out);
  });

  it('tries a stored policy in place of the nearest, on one team', async () => {
    const { out } = await replay('--policy', 'picky', '--team', 'clinic', ...span, '--url', house.url, '--json');
    const report = JSON.parse(out) as ReplayReport;
    expect(report.by_team.map(({ team }) => team)).toEqual(['clinic']);
    expect(report.moves.map(({ to }) => to)).toContain('middle');
    const unknown = await replay('--policy', 'pikcy', ...span, '--url', house.url);
    expect([unknown.code, unknown.out]).toEqual([1, '']);
    expect(unknown.err).toContain('no policy "pikcy" is stored');
  });

  it('names a bad file before it asks anybody', async () => {
    const bad = manifestFile('bad.yaml', { policies: { base: { optimise: 'price' } } });
    const { code, out, err } = await replay('--policy', bad, '--url', 'http://127.0.0.1:9');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('optimise');
  });

  it('predicts exactly what then happens when the policies are applied and the same requests come again', async () => {
    const lines = path.join(folder, 'lines.jsonl');
    const args = ['--policy', manifestFile('after.yaml', AFTER), ...span, '--url', house.url];
    const { code } = await replay(...args, '--out', lines);
    expect(code).toBe(0);
    const told = readFileSync(lines, 'utf8').trimEnd().split('\n');
    const predicted = new Map(told.map((line) => JSON.parse(line) as Record<string, string | null>).map((line) => [line['id'], line]));

    await house.stop();
    house = await open(AFTER);
    const then = await sendAll(house);
    const outcomes = REQUESTS.map((wish, place) => ({
      wish,
      before: predicted.get(served[place]?.id ?? '')?.['before_endpoint'],
      after: predicted.get(served[place]?.id ?? '')?.['after_endpoint'],
    }));
    expect(outcomes.map(({ before }) => before)).toEqual(served.map(({ endpoint }) => endpoint));
    expect(outcomes.map(({ after }) => after)).toEqual(then.map(({ endpoint }) => endpoint));
    // Of each kind of change there was one.
    const kinds = new Set(outcomes.map(({ before, after }) => (after === before ? 'same' : after === null ? 'refused' : 'moved')));
    expect([...kinds].sort()).toEqual(['moved', 'refused', 'same']);
  });

  it('ends with one line and no report when the router goes away', async () => {
    await house.stop();
    const { code, out, err } = await replay('--policy', 'picky', ...span, '--url', house.url, '--out', path.join(folder, 'none.csv'));
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^headrace: cannot reach .*\n$/);
  });
});
