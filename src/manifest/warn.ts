/** What is allowed in a manifest and yet hardly meant. Pure. */
import type { Manifest } from '#schema/manifest';
import { MODEL_SUFFIXES } from '#schema/model-suffix';
import { unknownSlugs } from './check-slugs.ts';
import type { ManifestSurroundings } from './surroundings.ts';
import { namedSecrets, sayKey } from './secrets.ts';

/** Names listed in one warning. */
const NAMES_MAX = 5;

export interface WarnInput {
  manifest: Manifest;
  around: Pick<ManifestSurroundings, 'providers' | 'models'>;
  nowMs: number;
  /** Answers whether a secret is set where the manifest is to hold. */
  hasSecret(name: string): boolean;
  /** Answers whether a glob matches a model id. */
  matchesGlob(glob: string, modelId: string): boolean;
}

/** Lists what somebody should look at again, in the order of the file's sections. */
export function warnOf(input: WarnInput): string[] {
  return [
    ...warnOfSecrets(input),
    ...warnOfForeignKeys(input),
    ...warnOfAliases(input),
    ...warnOfEndpoints(input),
    ...warnOfPolicies(input),
    ...warnOfKeys(input),
  ];
}

function warnOfSecrets({ manifest, hasSecret }: WarnInput): string[] {
  const holders = (secret: string): string[] => [
    ...manifest.providers.filter(({ key }) => key.secret === secret).map(({ id }) => `provider ${id}`),
    ...manifest.endpoints.filter(({ key }) => key?.secret === secret).map(({ id }) => `endpoint ${id}`),
    ...manifest.price_feeds.filter(({ key }) => key?.secret === secret).map(({ id }) => `price feed ${id}`),
  ];
  return namedSecrets(manifest)
    .filter((name) => !hasSecret(name))
    .map((name) => `secret ${name} is not set here: ${list(holders(name))} cannot be called without it`);
}

/** A provider's key that goes to somebody else's address: what a proxy needs, and what a thief would write (K1). */
function warnOfForeignKeys({ manifest, around }: WarnInput): string[] {
  const named = new Map(manifest.providers.map(({ id, key }) => [id, key.secret]));
  const owners = new Map(
    [...around.providers].flatMap(([id, { origin, keyName }]) =>
      origin === undefined ? [] : [keyName, named.get(id)].map((secret) => [secret, { id, origin }] as const),
    ),
  );
  return manifest.endpoints.flatMap(({ id, url, key }) => {
    const owner = key?.secret === undefined ? undefined : owners.get(key.secret);
    if (owner === undefined || url === undefined || new URL(url).origin === owner.origin) return [];
    return [`endpoint ${id} sends ${key?.secret}, the key of provider ${owner.id}, to ${new URL(url).host}`];
  });
}

function warnOfAliases({ manifest }: WarnInput): string[] {
  return Object.keys(manifest.aliases).flatMap((alias) => {
    const suffix = MODEL_SUFFIXES.find((known) => alias.endsWith(`:${known}`));
    return suffix === undefined ? [] : [`alias ${alias} is never reached: \`:${suffix}\` is taken off a name before it is looked up`];
  });
}

function warnOfEndpoints({ manifest }: WarnInput): string[] {
  const unpriced = manifest.endpoints.filter(({ price }) => price === undefined).map(({ id }) => id);
  if (unpriced.length === 0) return [];
  return [
    `without a price only policies with \`allow_unpriced\` use ${unpriced.length === 1 ? 'endpoint' : 'endpoints'} ${list(unpriced)}`,
  ];
}

function warnOfPolicies({ manifest, around }: WarnInput): string[] {
  const models = knownModels(manifest, around);
  const slugs = unknownSlugs(manifest, around).map(
    ({ policy, list: field, slug }) => `policy ${policy}: \`${field}\` names ${slug}, and no provider, tag or endpoint here is called that`,
  );
  const fallbacks = Object.entries(manifest.policies).flatMap(([policy, { models: wish }]) => {
    const named = Object.entries(wish?.fallbacks ?? {}).flatMap(([model, others]) => [model, ...others]);
    const unknown = [...new Set(named)].filter((name) => !models.has(name) && !Object.hasOwn(manifest.aliases, name));
    return unknown.length === 0 ? [] : [`policy ${policy}: \`models.fallbacks\` names ${list(unknown)}, and no model here is called that`];
  });
  return [...slugs, ...fallbacks];
}

function warnOfKeys({ manifest, around, nowMs, matchesGlob }: WarnInput): string[] {
  const models = [...knownModels(manifest, around)];
  const inference = manifest.teams.flatMap((team) => team.keys.map((key) => ({ key, who: sayKey({ team: team.id, name: key.name }) })));
  const management = manifest.management_keys.map((key) => ({ key, who: sayKey({ team: null, name: key.name }) }));
  const globs = inference.flatMap(({ key, who }) =>
    (key.models ?? [])
      .filter((glob) => !models.some((model) => matchesGlob(glob, model)))
      .map((glob) => `${who}: \`models\` names ${glob}, which matches no model here`),
  );
  const expired = [...management, ...inference]
    .filter(({ key }) => key.expires !== undefined && Date.parse(key.expires) <= nowMs)
    .map(({ key, who }) => `${who} has expired (${key.expires})`);
  return [...globs, ...expired];
}

function knownModels(manifest: Manifest, around: WarnInput['around']): Set<string> {
  return new Set([...around.models, ...manifest.endpoints.map(({ model }) => model)]);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).join(', ');
  return names.length > NAMES_MAX ? `${shown} and ${names.length - NAMES_MAX} more` : shown;
}
