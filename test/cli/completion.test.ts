import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MANAGEMENT_KEY, refusal, runHere, startFakeRouter, type FakeRouter } from './fake-router.ts';

let router: FakeRouter;
const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
beforeAll(async () => void (router = await startFakeRouter()));
afterAll(async () => {
  printed.mockRestore();
  await router.stop();
});
beforeEach(() => {
  router.reset();
  printed.mockClear();
});

/** What the shell is offered for these words, the last of them under the cursor. */
async function offered(...words: string[]): Promise<string[]> {
  const { code, out, err } = await runHere(['complete', '--', ...words]);
  expect([code, err]).toEqual([0, '']);
  const lines = [...printed.mock.calls.map(([line]) => String(line)), ...out.trimEnd().split('\n')];
  return lines.filter((line) => line !== '' && line !== ':4').map((line) => line.split('\t')[0] ?? '');
}

const at = (): string[] => ['--url', router.url, '--key', MANAGEMENT_KEY];

describe('completion', () => {
  it('offers commands, subcommands, flags and choices without asking anybody', async () => {
    expect(await offered('ch')).toEqual(['check']);
    printed.mockClear();
    expect(await offered('keys', 'r')).toEqual(['rotate']);
    printed.mockClear();
    expect(await offered('apply', 'x.yaml', '--dry')).toEqual(['--dry-run']);
    printed.mockClear();
    expect(await offered('usage', '--by', '')).toEqual(['model', 'key', 'endpoint', 'provider', 'team', 'day']);
    expect(router.sent).toEqual([]);
  });

  it.each([
    ['policies', ['keys', 'create', '--policy', 'e'], 'GET /policies', { name: 'eu' }],
    ['teams', ['usage', '--team', ''], 'GET /teams', { id: 'eu' }],
    ['one team', ['teams', 'e'], 'GET /teams', { id: 'eu' }],
    ['keys', ['keys', 'rotate', 'e'], 'GET /keys', { name: 'eu' }],
  ])('offers the names of %s that the router has', async (_, words, route, item) => {
    router.on(route, () => ({ data: [item] }));
    const place = words[0] === 'keys' ? 2 : 1;
    expect(await offered(...words.slice(0, place), ...at(), ...words.slice(place))).toEqual(['eu']);
  });

  it('offers nothing where the router refuses, and has no errors', async () => {
    router.on('GET /teams', () => refusal(401, 'invalid_api_key', 'Invalid key.'));
    expect(await offered('usage', ...at(), '--team', '')).toEqual([]);
  });

  it('K5: never offers a name that a shell would run', async () => {
    router.on('GET /keys', () => ({
      data: ['ok-1', '--yes', '$(touch x)', '`id`', 'a b', "it's", 'x;y', 'tab\tbed', 'line\nbreak'].map((name) => ({ name })),
    }));
    expect(await offered('keys', 'rotate', ...at(), '')).toEqual(['ok-1']);
  });

  it('leaves files to the shell', async () => {
    for (const words of [
      ['check', ''],
      ['apply', 'head'],
      ['explain', '--file', ''],
    ])
      expect(await offered(...words)).toEqual([':0']);
  });

  it.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    expect(await runHere(['complete', shell])).toMatchObject({ code: 0, err: '' });
    expect(String(printed.mock.calls[0]?.[0])).toContain('headrace');
  });

  it('its script works in bash: commands from us, files from the shell', () => {
    const main = path.resolve(import.meta.dirname, '../../cli/main.ts');
    const script = `
      headrace() { "${process.execPath}" "${main}" "$@"; }
      _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur="\${words[$cword]}"; prev="\${words[$((cword - 1))]}"; }
      eval "$(headrace complete bash)"
      COMP_WORDS=(headrace keys ro); COMP_CWORD=2; __headrace_complete 2>/dev/null; echo "\${COMPREPLY[@]}"
      complete -p headrace`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(
      'rotate\ncomplete -o default -F __headrace_complete headrace\n',
    );
  });
});
