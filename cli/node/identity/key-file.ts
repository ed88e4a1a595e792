/** Where nodes keep their keys: one file for each router and name, which only its owner reads. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { nodeId } from '#schema/node';
import { CommandError } from '../../command-error.ts';
import { openKeyPair, type KeyPair } from './key-pair.ts';

const keyFile = z.object({
  version: z.literal(1),
  node: nodeId,
  router: z.url(),
  privateKey: z.string().min(1),
  joinedAt: z.iso.datetime().nullable(),
});
type KeyFile = z.infer<typeof keyFile>;

/** A node that has a key here. `joinedAt` null: its key was made, but the router has not said yes yet. */
export interface KeptNode {
  node: string;
  /** Address of the router. */
  router: string;
  keys: KeyPair;
  joinedAt: string | null;
}

/** The folder of this machine's node keys. */
export function defaultStateDir(): string {
  return path.join(homedir(), '.headrace', 'nodes');
}

/** Makes the folder where it is missing. Throws CommandError where no key can be kept in it. */
export function checkStateDir(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    accessSync(stateDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotKeep(stateDir, error);
  }
}

function cannotKeep(folder: string, error: unknown): CommandError {
  const { code } = error as NodeJS.ErrnoException;
  return new CommandError(`cannot keep the node's key in ${folder}: ${code}; name another folder with --state-dir`);
}

/** Names the folder of a router's nodes: its host, in letters that every file system takes. */
function folderOf(stateDir: string, router: string): string {
  return path.join(stateDir, new URL(router).host.replaceAll(/[^A-Za-z0-9.-]/g, '_'));
}

/** Names the file of a node. */
export function keyFileOf(stateDir: string, router: string, node: string): string {
  return path.join(folderOf(stateDir, router), `${node}.json`);
}

/** Names the file in which a running node says how it stands. */
export function statusFileOf(stateDir: string, router: string, node: string): string {
  return path.join(folderOf(stateDir, router), `${node}.status`);
}

/** Reads a node's key; null where there is none. Throws CommandError for a file that is none of ours. */
export function readKeptNode(stateDir: string, router: string, node: string): KeptNode | null {
  const file = keyFileOf(stateDir, router, node);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new CommandError(`cannot read the node's key ${file}: ${code}`);
  }
  try {
    const { privateKey, ...kept } = keyFile.parse(JSON.parse(text));
    return { ...kept, keys: openKeyPair(privateKey) };
  } catch {
    // What stands in it is never quoted.
    throw new CommandError(`${file} is not a node's key: move it away and join with a token`);
  }
}

/** Lists the nodes that have a key for a router here, by name. Throws CommandError for a folder that cannot be read. */
export function listKeptNodes(stateDir: string, router: string): string[] {
  return keyFilesBelow(folderOf(stateDir, router)).map((file) => path.basename(file, '.json'));
}

/** Lists the addresses of the routers that nodes here have keys for; a file that is no key names none. Throws CommandError for a folder that cannot be read. */
export function listKeptRouters(stateDir: string): string[] {
  return [...new Set(keyFilesBelow(stateDir).flatMap(routerIn))];
}

function keyFilesBelow(folder: string): string[] {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
    return files.toSorted().map((file) => path.join(folder, file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new CommandError(`cannot read the keys of nodes in ${folder}: ${code}`);
  }
}

function routerIn(file: string): string[] {
  try {
    return [keyFile.parse(JSON.parse(readFileSync(file, 'utf8'))).router];
  } catch {
    return [];
  }
}

/** Keeps the key of a new node, unless another process has kept one first: then that is the node's. Throws CommandError. */
export function keepNewNode(stateDir: string, kept: KeptNode): KeptNode {
  if (place(stateDir, kept, linkSync)) return kept;
  return readKeptNode(stateDir, kept.router, kept.node) ?? kept;
}

/** Writes a node's key over what was kept before. Throws CommandError. */
export function writeKeptNode(stateDir: string, kept: KeptNode): void {
  place(stateDir, kept, renameSync);
}

/** Writes a new file and puts it in its place in one step, so that a crash leaves the old one or the new one whole. False: the place is taken. */
function place(stateDir: string, { node, router, keys, joinedAt }: KeptNode, put: (draft: string, file: string) => void): boolean {
  const file = keyFileOf(stateDir, router, node);
  const draft = `${file}.${process.pid}.new`;
  const content: KeyFile = { version: 1, node, router, privateKey: keys.save(), joinedAt };
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    chmodSync(path.dirname(file), 0o700);
    const handle = openSync(draft, 'w', 0o600);
    try {
      writeFileSync(handle, `${JSON.stringify(content, null, 2)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    put(draft, file);
    return true;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && syscall === 'link') return false;
    throw cannotKeep(path.dirname(file), error);
  } finally {
    discard(draft);
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // Where it could not be written it cannot be removed.
  }
}

/** Removes a node's key. */
export function forgetKeptNode(stateDir: string, router: string, node: string): void {
  rmSync(keyFileOf(stateDir, router, node), { force: true });
}

/** Removes a key that was kept for nothing, unless another process has joined with it meanwhile. */
export function forgetDraft(stateDir: string, { router, node, keys }: KeptNode): void {
  const kept = readKeptNode(stateDir, router, node);
  if (kept !== null && kept.joinedAt === null && kept.keys.publicKey === keys.publicKey) forgetKeptNode(stateDir, router, node);
}
