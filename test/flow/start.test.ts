import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const state = mkdtempSync(path.join(tmpdir(), 'headrace-start-'));
const running = new Set<ChildProcess>();

afterEach(() => running.forEach((child) => child.kill('SIGTERM')));
afterAll(() => rmSync(state, { recursive: true, force: true }));

interface Started {
  child: ChildProcess;
  output: string;
  url: string;
  key: string;
  /** Resolves with the exit code. */
  exited: Promise<number | null>;
}

/** Runs `npm start -- --port N --state …` without npm, until it says that it is ready. */
function start(port = '0'): Promise<Started> {
  const child = spawn(process.execPath, ['scripts/headrace.mjs', 'dev', '--port', port, '--state', state], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return new Promise((resolve, reject) => {
    let output = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const url = /^ready (http:\/\/localhost:\d+)\n$/m.exec(output)?.[1];
      const key = /^key: +(sk-hr-\S+)$/m.exec(output)?.[1];
      if (url !== undefined && key !== undefined) resolve({ child, output, url, key, exited });
    });
    void exited.then((code) => reject(new Error(`exited with ${code} before it was ready: ${errors}`)));
  });
}

/** Lists a process and everything below it. */
function family(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] => pairs.flatMap(([child = 0, its = 0]) => (its === parent ? [child, ...below(child)] : []));
  return [pid, ...below(pid)];
}

/** Answers which of some processes still run; the dead that nobody has collected do not count. */
function alive(pids: readonly number[]): string[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,stat=,args='], { encoding: 'utf8' });
  return table.split('\n').filter((line) => {
    const [pid, stat = 'Z'] = line.trim().split(/\s+/);
    return pids.includes(Number(pid)) && !stat.startsWith('Z');
  });
}

async function ask({ url, key }: Started): Promise<{ id: string; text: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'qwen/qwen3-8b',
      stream: true,
      max_tokens: 12,
      messages: [{ role: 'user', content: 'What is a headrace?' }],
    }),
  });
  expect(response.status).toBe(200);
  return { id: response.headers.get('x-generation-id') ?? '', text: await response.text() };
}

async function readGeneration({ url, key }: Started, id: string): Promise<Response> {
  return fetch(`${url}/v1/generation?id=${id}`, { headers: { authorization: `Bearer ${key}` } });
}

describe('npm start', () => {
  it('serves a stream with the printed key, keeps key and receipts over a restart, and leaves no process behind', async () => {
    const first = await start();
    expect(first.output.trimEnd().split('\n').at(-1)).toBe(`ready ${first.url}`);
    expect(first.output).toContain(`curl -Ni ${first.url}/v1/chat/completions -H 'authorization: Bearer ${first.key}'`);
    const { id, text } = await ask(first);
    expect(text).toContain('"simulated":true');
    expect((await readGeneration(first, id)).status).toBe(200);

    const pids = family(first.child.pid ?? 0);
    expect(pids.length).toBeGreaterThan(2);
    first.child.kill('SIGINT');
    expect(await first.exited).toBe(0);
    expect(alive(pids)).toEqual([]);

    const second = await start();
    expect(second.key).toBe(first.key);
    expect(second.output).not.toMatch(/teams \+|keys \+|0000_init/);
    expect((await readGeneration(second, id)).status).toBe(200);
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
  });

  it('ends everything when the starter is killed', async () => {
    const { child } = await start();
    const pids = family(child.pid ?? 0);
    child.kill('SIGKILL');
    await expect.poll(() => alive(pids), { interval: 100 }).toEqual([]);
  });

  it('leaves its port when every process of ours is killed at once, and starts there again', async () => {
    const { child, url } = await start();
    const pids = family(child.pid ?? 0);
    const [starter = 0, main = 0] = pids;
    for (const pid of [starter, main]) process.kill(pid, 'SIGKILL');
    await expect.poll(() => alive(pids), { interval: 50 }).toEqual([]);
    const again = await start(new URL(url).port);
    expect(again.url).toBe(url);
    again.child.kill('SIGTERM');
    expect(await again.exited).toBe(0);
  });
});
