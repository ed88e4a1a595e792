import { createPublicKey, verify } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  forgetDraft,
  forgetKeptNode,
  keepNewNode,
  keyFileOf,
  listKeptNodes,
  readKeptNode,
  writeKeptNode,
} from '#cli/node/identity/key-file';
import { createKeyPair, openKeyPair } from '#cli/node/identity/key-pair';
import { resolveNode, resolveRouter } from '#cli/node/identity/resolve-node';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;
let state = '';
beforeEach(() => void (state = path.join(folder, String(runs++))));

const ROUTER = 'https://router.example.com:8443';
const kept = (node: string) => ({ node, router: ROUTER, keys: createKeyPair(), joinedAt: null });

describe('a node’s key', () => {
  it('survives a restart and signs what the public half proves', () => {
    const pair = createKeyPair();
    const again = openKeyPair(pair.save());
    expect(again.publicKey).toBe(pair.publicKey);
    expect(pair.publicKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(pair.publicKey, 'base64').toString('base64url') },
      format: 'jwk',
    });
    expect(verify(null, Buffer.from('hello'), key, Buffer.from(again.sign('hello'), 'base64'))).toBe(true);
  });

  it('is kept in a file and a folder that nobody else may read, and written in one step', () => {
    writeKeptNode(state, kept('rig'));
    const file = keyFileOf(state, ROUTER, 'rig');
    expect([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    chmodSync(file, 0o644);
    writeKeptNode(state, kept('rig'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.dirname(file))).toEqual(['rig.json']);
  });

  it('is found by router and name, or by being the only one', () => {
    writeKeptNode(state, kept('a'));
    expect(resolveNode(state, ROUTER, undefined).node).toBe('a');
    writeKeptNode(state, kept('b'));
    expect(listKeptNodes(state, ROUTER)).toEqual(['a', 'b']);
    expect(() => resolveNode(state, ROUTER, undefined)).toThrow('name one of the nodes here with --name: a, b');
    expect(resolveNode(state, ROUTER, 'b').node).toBe('b');
    expect(() => resolveNode(state, ROUTER, 'c')).toThrow(/no node c of .*, or name what has one with --name: a, b$/);
    expect(() => resolveNode(state, 'https://other.example', 'b')).toThrow(
      /no node b of https:\/\/other\.example .*, or name what has one with --router: https:\/\/router\.example\.com:8443$/,
    );
    forgetKeptNode(state, ROUTER, 'a');
    expect(existsSync(keyFileOf(state, ROUTER, 'a'))).toBe(false);
  });

  it('tells which router a command is about, unless there are several; the local one where nobody has joined', () => {
    expect(resolveRouter(state)).toBe('http://localhost:8787');
    writeKeptNode(state, kept('a'));
    writeKeptNode(state, kept('b'));
    writeFileSync(path.join(state, '.DS_Store'), '');
    writeFileSync(path.join(state, 'notes.json'), '{}');
    expect(resolveRouter(state)).toBe(ROUTER);
    writeKeptNode(state, { ...kept('a'), router: 'https://other.example' });
    expect(() => resolveRouter(state)).toThrow(`name one of the routers of the nodes here with --router: https://other.example, ${ROUTER}`);
  });

  it.each(['', '{', '{"version":2}', '{"version":1,"node":"rig","router":"https://r","privateKey":"c2VjcmV0","joinedAt":null}'])(
    'that is broken (%j) is refused with its file and without its content',
    (content) => {
      writeKeptNode(state, kept('rig'));
      const file = keyFileOf(state, ROUTER, 'rig');
      writeFileSync(file, content);
      expect(() => readKeptNode(state, ROUTER, 'rig')).toThrow(`${file} is not a node's key: move it away and join with a token`);
    },
  );

  it('of a new node is made once, whoever else joins under its name at the same time', () => {
    const [first, second] = [kept('rig'), kept('rig')];
    expect(keepNewNode(state, first)).toBe(first);
    expect(keepNewNode(state, second).keys.publicKey).toBe(first.keys.publicKey);
    expect(readdirSync(path.dirname(keyFileOf(state, ROUTER, 'rig')))).toEqual(['rig.json']);
  });

  it('that was made for nothing goes, but not when somebody has joined with it, or with another', () => {
    const draft = kept('rig');
    keepNewNode(state, draft);
    forgetDraft(state, kept('rig'));
    expect(readKeptNode(state, ROUTER, 'rig')?.keys.publicKey).toBe(draft.keys.publicKey);
    writeKeptNode(state, { ...draft, joinedAt: '2026-11-22T00:00:00.000Z' });
    forgetDraft(state, draft);
    expect(readKeptNode(state, ROUTER, 'rig')).not.toBeNull();
    writeKeptNode(state, draft);
    forgetDraft(state, draft);
    expect(readKeptNode(state, ROUTER, 'rig')).toBeNull();
  });

  it('that cannot be read is no missing one: the folder and the reason are named', () => {
    writeKeptNode(state, kept('rig'));
    const folderOfRouter = path.dirname(keyFileOf(state, ROUTER, 'rig'));
    rmSync(folderOfRouter, { recursive: true });
    writeFileSync(folderOfRouter, '');
    expect(() => resolveNode(state, ROUTER, undefined)).toThrow(`cannot read the keys of nodes in ${folderOfRouter}: ENOTDIR`);
    expect(() => writeKeptNode(state, kept('rig'))).toThrow(/cannot keep the node's key in .*: E/);
  });

  it('holds the private half in the file alone', () => {
    const pair = createKeyPair();
    expect(JSON.stringify(pair)).not.toContain(pair.save());
    writeKeptNode(state, { ...kept('rig'), keys: pair });
    expect(readFileSync(keyFileOf(state, ROUTER, 'rig'), 'utf8')).toContain(pair.save());
  });
});
