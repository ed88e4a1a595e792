import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const main = path.resolve(import.meta.dirname, '../../cli/main.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'headrace-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function headrace(...args: string[]): { code: number | null; out: string; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder });
  return { code: status, out: stdout, lines: stderr.trimEnd().split('\n') };
}

function write(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return name;
}

describe('the command line', () => {
  it('has help with examples, and a version', () => {
    expect(headrace('--help')).toMatchObject({ code: 0, out: expect.stringContaining('check [options] <file>') });
    expect(headrace('dev', '--help').out).toContain('npm start -- --port 9000');
    expect(headrace('--version').out.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it.each([
    [['dev', '--nope'], /unknown option '--nope'/],
    [['dev', '--port', 'x'], /expected a number/],
    [['dev', '--port', '70000'], /expected a number/],
    [['dev', 'extra'], /too many arguments/],
    [['nope'], /unknown command 'nope'/],
    [['check'], /missing required argument/],
    [[], /name a command/],
    [['keys', 'lst'], /unknown command 'lst' \(Did you mean list\?\)/],
    [['teams', '--url', 'nowhere'], /not an address: nowhere/],
    [['--no-color', 'node', 'capacity', '--model', 'keys'], /\(see npx headrace node capacity --help\)$/],
    [['nodes', 'token', '--operator', 'keys', '--ttl', '5'], /\(see npx headrace nodes token --help\)$/],
  ])('refuses %j with one line and exit code 2', (args, message) => {
    const { code, out, lines } = headrace(...args);
    expect({ code, out, count: lines.length }).toEqual({ code: 2, out: '', count: 1 });
    expect(lines[0]).toMatch(message);
  });
});

describe('headrace check', () => {
  it('accepts a good manifest', () => {
    expect(headrace('check', write('good.yaml', 'version: 1\n'))).toMatchObject({
      code: 0,
      out: expect.stringContaining('good.yaml: fine'),
    });
  });

  it('names file, line, path, suggestion and allowed values', () => {
    const { code, lines } = headrace('check', write('bad.yaml', 'version: 1\nteams:\n  - { id: t, budget: { usd: 1, per: mnth } }\n'));
    expect(code).toBe(1);
    expect(lines).toEqual([
      'headrace: bad.yaml:3:37: teams[0].budget.per: "mnth" is not allowed; did you mean month? (allowed: day, week, month, total)',
    ]);
  });

  it('prints one JSON object with --json', () => {
    const { code, out } = headrace('check', write('bad.yaml', 'version: 2\n'), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, file: 'bad.yaml', errors: [{ line: 1, path: 'version', allowed: ['1'] }] });
  });
});

describe('headrace dev', () => {
  it.each([
    ['a bad manifest', ['--config', 'bad.yaml'], /bad\.yaml:1:10: version/],
    ['a file that is not there', ['--config', 'none.yaml'], /cannot read none\.yaml: no such file/],
    ['a folder', ['--config', '.'], /cannot read \.: it is a folder/],
  ])('%s is one line, exit code 1, and nothing changed', (_what, args, message) => {
    write('bad.yaml', 'version: 2\n');
    const { code, lines } = headrace('dev', ...args, '--state', 'state', '--port', '0');
    expect({ code, count: lines.length }).toEqual({ code: 1, count: 1 });
    expect(lines[0]).toMatch(message);
    expect(existsSync(path.join(folder, 'state'))).toBe(false);
  });

  it('a busy port is one line, exit code 1, and nothing changed', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { code, lines } = headrace('dev', '--no-devnet', '--state', 'state', '--port', String(port));
    server.close();
    expect({ code, lines }).toEqual({ code: 1, lines: [`headrace: port ${port} is in use; choose another with --port N`] });
    expect(existsSync(path.join(folder, 'state'))).toBe(false);
  });
});
