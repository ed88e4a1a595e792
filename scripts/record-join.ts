/** Records docs/node-join.svg: a real `headrace node join` of the simulated 4090, against a router of its own, with a few requests, until Ctrl-C. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { drawTerminal } from './terminal-svg.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const MAIN = path.join(ROOT, 'cli/main.ts');
const PICTURE = path.join(ROOT, 'docs/node-join.svg');

const WISHES = ['--name', 'rig-4090', '--gpu', 'rtx-4090', '--price', '0.02/0.06'];
/** Addresses of `npm start` as it is documented; the recording may have to use other ports. */
const [USUAL_ROUTER, USUAL_RIG] = ['localhost:8787', 'http://127.0.0.1:9100/rig-4090-a'];
const REQUESTS = 8;
const PATIENCE_MS = 60_000;

interface Running {
  child: ChildProcess;
  /** All that it has printed. */
  out(): string;
  /** Waits until it has printed this; rejects when it has not in time, or has ended. */
  until(words: RegExp): Promise<RegExpExecArray>;
  ended: Promise<void>;
}

function run(...args: string[]): Running {
  const env = { ...process.env, FORCE_COLOR: '1', NO_COLOR: undefined };
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    child,
    out: () => out,
    ended,
    until: (words) =>
      new Promise((resolve, reject) => {
        const giveUp = (why: string): void => reject(new Error(`${args.join(' ')}: ${why} before ${words.source}\n${out}`));
        const timer = setTimeout(giveUp, PATIENCE_MS, 'nothing came');
        const look = (): void => {
          const found = words.exec(out);
          if (found === null) return;
          clearTimeout(timer);
          resolve(found);
        };
        child.stdout.on('data', look);
        child.once('close', () => giveUp('it ended'));
        look();
      }),
  };
}

async function firstLine(...args: string[]): Promise<string> {
  const running = run(...args);
  const [, line = ''] = await running.until(/^(.+)\n/);
  await running.ended;
  return line;
}

async function record(folder: string, router: Running): Promise<string[]> {
  const [, rig = ''] = await router.until(/devnet: (http:\S+)/);
  const [, key = ''] = await router.until(/key: +(sk-hr-\S+)/);
  const [, url = ''] = await router.until(/ready (http:\S+)/);
  const here = ['--url', url, '--state', path.join(folder, 'state')];
  // A team's own operator is in traffic at once.
  await firstLine('operators', 'create', 'home', '--team', 'demo', ...here);
  const token = await firstLine('nodes', 'token', '--operator', 'home', ...here);
  const where = ['--router', url, '--state-dir', path.join(folder, 'nodes'), '--upstream', `${rig}/rig-4090-a`];
  const node = run('node', 'join', ...where, '--token', token, ...WISHES);
  await node.until(/in traffic/);
  for (let sent = 0; sent < REQUESTS; sent++) {
    const body = {
      model: 'qwen/qwen3-8b',
      max_tokens: 60,
      provider: { only: ['rig-4090'] },
      messages: [{ role: 'user', content: 'Hello.' }],
    };
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the router answers ${answer.status}: ${await answer.text()}`);
    await answer.text();
  }
  node.child.kill('SIGINT');
  await node.ended;
  const said = node.out().replaceAll(`${rig}/rig-4090-a`, USUAL_RIG).replaceAll(new URL(url).host, USUAL_ROUTER).trimEnd().split('\n');
  return [
    `\u001b[1m$ npx headrace node join --token hr-join-… --upstream ${USUAL_RIG} \\\u001b[22m`,
    `\u001b[1m    ${WISHES.join(' ')}\u001b[22m`,
    ...said.slice(0, -1),
    '^C',
    ...said.slice(-1),
  ];
}

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-record-'));
const router = run('dev', '--port', '0', '--state', path.join(folder, 'state'));
try {
  writeFileSync(PICTURE, drawTerminal('headrace node join, in a terminal', await record(folder, router)));
} finally {
  router.child.kill('SIGINT');
  await router.ended;
  rmSync(folder, { recursive: true, force: true });
}
