import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findConnection } from '#cli/router/connection';

const state = mkdtempSync(path.join(tmpdir(), 'headrace-connection-'));
mkdirSync(path.join(state, 'headrace'));
writeFileSync(path.join(state, 'headrace/keys.json'), '{"local":"sk-hr-local","management":"sk-hr-mgmt-local"}');
afterAll(() => rmSync(state, { recursive: true, force: true }));

const MANAGER = 'sk-hr-mgmt-given';
const ASKER = 'sk-hr-given';
const REMOTE = 'https://router.example';

describe('where a command finds its router', () => {
  it.each([
    ['http://localhost:8787', undefined],
    ['http://localhost:8787', ''],
    ['https://router.example', 'https://router.example/'],
    ['https://router.example', 'https://router.example/v1'],
    ['https://router.example', 'https://router.example/api/v1/'],
    ['https://router.example/gateway', 'https://router.example/gateway/v1'],
  ])('is %s for %j', (url, given) => {
    expect(findConnection({ key: MANAGER }, 'management', { HEADRACE_URL: given }).url).toBe(url);
    if (given) expect(findConnection({ url: given, key: MANAGER }, 'management', { HEADRACE_URL: 'https://other.example' }).url).toBe(url);
  });

  it.each(['router.example', 'ftp://router.example', 'https://', 'https://user:secret@router.example'])('is never %s', (url) => {
    const find = () => findConnection({ url, key: MANAGER }, 'management', {});
    expect(find).toThrow();
    expect(find).not.toThrow('secret');
  });
});

describe('which key a command presents', () => {
  it('is the flag, else the variable, else on loopback the one that npm start keeps', () => {
    const environment = { HEADRACE_KEY: 'sk-hr-mgmt-variable' };
    expect(findConnection({ key: MANAGER, state }, 'management', environment).key).toBe(MANAGER);
    expect(findConnection({ state }, 'management', environment).key).toBe('sk-hr-mgmt-variable');
    expect(findConnection({ state }, 'management', {}).key).toBe('sk-hr-mgmt-local');
    expect(findConnection({ state, url: 'http://127.0.0.1:9' }, 'inference', {}).key).toBe('sk-hr-local');
    expect(findConnection({ url: 'http://[::1]:9', state }, 'inference', {}).key).toBe('sk-hr-local');
  });

  it('on loopback is the local one where the variable holds the other kind', () => {
    expect(findConnection({ state }, 'inference', { HEADRACE_KEY: MANAGER }).key).toBe('sk-hr-local');
  });

  it('K7: is never the local one for a router elsewhere', () => {
    for (const url of [REMOTE, 'http://localhost.router.example', 'http://127.0.0.1.nip.io'])
      expect(() => findConnection({ url, state }, 'management', {})).toThrow(/name a management key/);
  });

  it.each([
    ['an inference key', { key: ASKER }, 'management', /--key holds an inference key/],
    ['a management key', { key: MANAGER }, 'inference', /--key holds a management key/],
    ['two lines', { key: `${ASKER}\nx` }, 'inference', /--key is not a key/],
    ['no state', { state: path.join(state, 'none') }, 'management', /does not hold one; use --key/],
  ] as const)('is refused early in plain words: %s', (_, options, kind, message) => {
    expect(() => findConnection(options, kind, {})).toThrow(message);
  });

  it('from the variable is refused, too, where there is no other', () => {
    expect(() => findConnection({ url: REMOTE }, 'management', { HEADRACE_KEY: ASKER })).toThrow(/HEADRACE_KEY holds an inference key/);
  });
});
