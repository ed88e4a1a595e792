/** Finds the values behind the names in a manifest: client keys become hashes, upstream keys become bindings. */
import type { Manifest } from '#schema/manifest';
import { providers } from '#providers/registry';
import { keyLabel } from '#schema/key';
import { keyId, type ResolvedKey } from '#src/manifest/compile';
import { clientKeys, literalBindings, namedSecrets, sha256Hex } from '#src/manifest/secrets';
import { CommandError } from '../command-error.ts';
import type { LocalKeys } from './local-key.ts';

type Environment = Readonly<Record<string, string>>;

const INFERENCE_KEY = /^sk-hr-(?!mgmt-)[\x21-\x7e]{14,194}$/;
const MANAGEMENT_KEY = /^sk-hr-mgmt-[\x21-\x7e]{9,189}$/;

/** Hashes a key as D1 keeps it. */
function resolveKey(token: string): ResolvedKey {
  return { hash: sha256Hex(token), label: keyLabel(token) };
}

/** Hashes the keys that `npm start` has made. */
export function resolveLocalKeys({ inference, management }: LocalKeys): Record<keyof LocalKeys, ResolvedKey> {
  return { inference: resolveKey(inference), management: resolveKey(management) };
}

/** Resolves the keys that clients will present. Those whose variable is not set are left out and named in `missing`. */
export function resolveClientKeys(manifest: Manifest, environment: Environment): { keys: Map<string, ResolvedKey>; missing: string[] } {
  const keys = new Map<string, ResolvedKey>();
  const missing: string[] = [];
  const owners = new Map<string, string>();
  for (const { team, name, reference } of clientKeys(manifest)) {
    const who = team === null ? `management key ${name}` : `key ${name} of team ${team}`;
    const token = reference.value ?? environment[reference.secret ?? ''];
    if (token === undefined) {
      missing.push(`${who} (${reference.secret} is not set)`);
      continue;
    }
    const shape = team === null ? MANAGEMENT_KEY : INFERENCE_KEY;
    if (!shape.test(token)) {
      const start = team === null ? 'sk-hr-mgmt-' : 'sk-hr-';
      throw new CommandError(`${who}: a key starts with ${start} and has 20 to 200 printable characters`);
    }
    const resolved = resolveKey(token);
    const other = owners.get(resolved.hash);
    if (other !== undefined) throw new CommandError(`${who} has the same value as ${other}`);
    owners.set(resolved.hash, who);
    keys.set(keyId(team, name), resolved);
  }
  return { keys, missing };
}

/** Collects upstream keys as Worker bindings: those that the manifest names or holds, and those of known providers. */
export function upstreamBindings(manifest: Manifest, environment: Environment): Record<string, string> {
  const names = [...namedSecrets(manifest), ...[...providers.values()].map((card) => card.keyName)];
  const named = names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]] as const]));
  return { ...Object.fromEntries(named), ...literalBindings(manifest) };
}

/** Lists the real providers that have a key here, by id. */
export function activeProviders(manifest: Manifest, environment: Environment): string[] {
  const references = new Map(manifest.providers.map(({ id, key }) => [id, key]));
  return [...providers.values()]
    .filter((card) => card.baseUrl !== null && card.auth !== 'none')
    .filter(
      ({ id, keyName }) => references.get(id)?.value !== undefined || environment[references.get(id)?.secret ?? keyName] !== undefined,
    )
    .map((card) => card.id);
}
