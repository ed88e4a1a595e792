/** Finds the values behind the names in a manifest: client keys become hashes, upstream keys become bindings. */
import type { Manifest } from '#schema/manifest';
import { providers } from '#providers/registry';
import { resolveClientKeys, resolveKey } from '#src/manifest/client-keys';
import type { ResolvedKey } from '#src/manifest/compile';
import { literalBindings, namedSecrets, sayKey } from '#src/manifest/secrets';
import { CommandError } from '../command-error.ts';
import type { LocalKeys } from './local-key.ts';

type Environment = Readonly<Record<string, string>>;

/** Hashes the keys that `npm start` has made. */
export function resolveLocalKeys({ inference, management }: LocalKeys): Record<keyof LocalKeys, ResolvedKey> {
  return { inference: resolveKey(inference), management: resolveKey(management) };
}

/** Resolves the keys that clients will present. Those whose variable is not set are left out and named in `missing`. Throws CommandError for a bad one. */
export function requireClientKeys(manifest: Manifest, environment: Environment): { keys: Map<string, ResolvedKey>; missing: string[] } {
  const { keys, missing, problems } = resolveClientKeys(manifest, (name) => environment[name]);
  const [problem] = problems;
  if (problem !== undefined) throw new CommandError(problem);
  return { keys, missing: missing.map((key) => `${sayKey(key)} (${key.reference.secret} is not set)`) };
}

/** Variables of the environment that switch work of the Worker on. */
const SWITCHES = ['HEADRACE_PRICE_FEEDS'];

/** Collects upstream keys as Worker bindings: those that the manifest names or holds, and those of known providers; and switches. */
export function upstreamBindings(manifest: Manifest, environment: Environment): Record<string, string> {
  const names = [...namedSecrets(manifest), ...[...providers.values()].map((card) => card.keyName), ...SWITCHES];
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
