/** Checks what no single field can tell: names that must exist, places that must be allowed, wishes that contradict each other. */
import { isAllowedDestination } from '#schema/destination';
import { operationsOf } from '#schema/catalog';
import type { Manifest, ManifestEndpoint, SecretReference } from '#schema/manifest';
import { checkFeeds } from './check-feeds.ts';
import { checkPolicies } from './check-policies.ts';
import { checkPrice } from './check-price.ts';
import type { Complaint, Path } from './manifest-error.ts';
import { checkNamedSupply } from './check-slugs.ts';
import { clientKeys, sayKey } from './secrets.ts';
import type { ManifestSurroundings } from './surroundings.ts';

const OUR_SECRETS = /^HEADRACE_/;
const SEAL_SECRETS = /^HEADRACE_SEAL_KEY/;

/** Id of the provider that stands for endpoints of one's own. */
export const CUSTOM_PROVIDER = 'selfhosted';

/** Lists what is wrong across the manifest, in the order of the file's sections. */
export function crossCheck(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  return [
    ...checkSecrets(manifest, around),
    ...checkAliases(manifest, around),
    ...checkProviders(manifest, around),
    ...checkEndpoints(manifest, around),
    ...checkFeeds(manifest, around),
    ...checkPolicies(manifest.policies),
    ...checkNamedSupply(manifest, around),
    ...checkReferences(manifest),
    ...checkNames(manifest),
  ];
}

/** Known names, to look one up and to list them. */
interface Names {
  has(name: string): boolean;
  /** One list for all complaints: a list for each would fill the memory. */
  all: readonly string[];
}

function toNames(names: Iterable<string>): Names {
  const known = new Set(names);
  return { has: (name) => known.has(name), all: [...known] };
}

/** Complains when a name is not among the known ones. */
function unknownName(path: Path, what: string, name: string, known: Names): Complaint[] {
  if (known.has(name)) return [];
  return [{ path, message: `unknown ${what} "${name}"`, allowed: known.all, word: name }];
}

function checkSecret(path: Path, reference: SecretReference, around: ManifestSurroundings): Complaint[] {
  const count = Number(reference.secret !== undefined) + Number(reference.value !== undefined);
  if (count !== 1)
    return [
      { path, message: count === 0 ? '`secret` is required (name of an environment variable)' : 'give `secret` or `value`, not both' },
    ];
  if (reference.value === undefined || around.allowValues) return [];
  return [{ path: [...path, 'value'], onKey: true, message: 'a key may stand in the file only under `npm start`: name it with `secret`' }];
}

function checkSecrets(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  const client = (path: Path, key: SecretReference): Complaint[] => [
    ...checkSecret(path, key, around),
    ...(SEAL_SECRETS.test(key.secret ?? '') ? [{ path: [...path, 'secret'], message: `${key.secret} seals keys, and is none` }] : []),
  ];
  const owners = new Map(clientKeys(manifest).map((key) => [key.reference.secret, sayKey(key)]));
  const upstream = (path: Path, key: SecretReference): Complaint[] => [
    ...checkSecret(path, key, around),
    ...checkUpstreamSecret([...path, 'secret'], key.secret, owners),
  ];
  return [
    ...manifest.management_keys.flatMap((key, index) => client(['management_keys', index], key)),
    ...manifest.providers.flatMap(({ key }, index) => upstream(['providers', index, 'key'], key)),
    ...manifest.endpoints.flatMap(({ key }, index) => (key === undefined ? [] : upstream(['endpoints', index, 'key'], key))),
    ...manifest.price_feeds.flatMap(({ key }, index) => (key === undefined ? [] : upstream(['price_feeds', index, 'key'], key))),
    ...manifest.teams.flatMap((team, teamIndex) => team.keys.flatMap((key, index) => client(['teams', teamIndex, 'keys', index], key))),
  ];
}

/** Secrets that go upstream must be meant for it: neither the router's own nor what clients prove themselves with (K1). */
function checkUpstreamSecret(path: Path, secret: string | undefined, owners: ReadonlyMap<string | undefined, string>): Complaint[] {
  if (secret === undefined) return [];
  if (OUR_SECRETS.test(secret))
    return [{ path, message: 'names that begin with HEADRACE_ are the router’s own: no upstream gets their values' }];
  const owner = owners.get(secret);
  return owner === undefined ? [] : [{ path, message: `${secret} is ${owner}: no upstream gets it` }];
}

function checkAliases(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  const models = toNames([...around.models, ...manifest.endpoints.map((endpoint) => endpoint.model)]);
  return Object.entries(manifest.aliases).flatMap(([alias, target]) => {
    if (models.has(alias)) return [{ path: ['aliases', alias], onKey: true, message: `"${alias}" is a model already` }];
    if (Object.hasOwn(manifest.aliases, target))
      return [{ path: ['aliases', alias], message: `"${target}" is an alias itself: name the model` }];
    return unknownName(['aliases', alias], 'model', target, models);
  });
}

function checkProviders(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  const known = toNames(around.providers.keys());
  return manifest.providers.flatMap(({ id }, index) => unknownName(['providers', index, 'id'], 'provider', id, known));
}

function checkEndpoints(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  const providers = toNames(around.providers.keys());
  return manifest.endpoints.flatMap((endpoint, index) => checkEndpoint(endpoint, ['endpoints', index], { ...around, known: providers }));
}

function checkEndpoint(endpoint: ManifestEndpoint, path: Path, around: ManifestSurroundings & { known: Names }): Complaint[] {
  const complaints: Complaint[] = [];
  const provider = around.providers.get(endpoint.provider);
  if (provider === undefined) complaints.push(...unknownName([...path, 'provider'], 'provider', endpoint.provider, around.known));
  else if (endpoint.provider !== CUSTOM_PROVIDER && endpoint.supply !== undefined && endpoint.supply !== provider.supply)
    complaints.push({
      path: [...path, 'supply'],
      message: `"${endpoint.provider}" is ${provider.supply} supply`,
      allowed: [provider.supply],
    });

  if (endpoint.url !== undefined && endpoint.link !== undefined)
    complaints.push({ path: [...path, 'link'], onKey: true, message: 'give `url` or `link`, not both' });
  if (endpoint.url === undefined && endpoint.link === undefined && provider?.hasBaseUrl !== true)
    complaints.push({ path, message: '`url` is required (or `link: tunnel`)' });
  if (endpoint.url !== undefined) {
    const verdict = isAllowedDestination(endpoint.url, around.allowedHosts);
    if (!verdict.ok) complaints.push({ path: [...path, 'url'], message: verdict.reason });
  }
  const operations = operationsOf(endpoint.capabilities ?? []);
  const generatesText = operations.has('chat') || operations.has('completion');
  if (endpoint.context === undefined && generatesText && !around.models.has(endpoint.model))
    complaints.push({ path, message: `\`context\` is required: the catalogue does not know "${endpoint.model}"` });
  if (endpoint.context !== undefined && endpoint.max_output !== undefined && endpoint.max_output > endpoint.context)
    complaints.push({ path: [...path, 'max_output'], message: `is above \`context\` (${endpoint.context})` });
  return [...complaints, ...checkPrice(endpoint, path)];
}

/** Checks that owners and policies exist. */
function checkReferences(manifest: Manifest): Complaint[] {
  const policies = toNames(Object.keys(manifest.policies));
  const teams = toNames(manifest.teams.map((team) => team.id));
  const policyAt = (path: Path, name: string | undefined): Complaint[] =>
    name === undefined ? [] : unknownName(path, 'policy', name, policies);
  return [
    ...policyAt(['defaults', 'policy'], manifest.defaults.policy),
    ...manifest.management_keys.flatMap(({ team }, index) =>
      team === undefined ? [] : unknownName(['management_keys', index, 'team'], 'team', team, teams),
    ),
    ...manifest.endpoints.flatMap(({ owner }, index) =>
      owner === undefined ? [] : unknownName(['endpoints', index, 'owner'], 'team', owner, teams),
    ),
    ...manifest.teams.flatMap((team, teamIndex) => [
      ...policyAt(['teams', teamIndex, 'policy'], team.policy),
      ...team.keys.flatMap((key, index) => policyAt(['teams', teamIndex, 'keys', index, 'policy'], key.policy)),
    ]),
  ];
}

/** Checks that names are given once. Catalogue endpoints hold a `:`, which ids of the manifest may not. */
function checkNames(manifest: Manifest): Complaint[] {
  return [
    ...repeated(
      ['management_keys'],
      'name',
      manifest.management_keys.map((key) => key.name),
    ),
    ...repeated(
      ['providers'],
      'id',
      manifest.providers.map((provider) => provider.id),
    ),
    ...repeated(
      ['endpoints'],
      'id',
      manifest.endpoints.map((endpoint) => endpoint.id),
    ),
    ...repeated(
      ['price_feeds'],
      'id',
      manifest.price_feeds.map((feed) => feed.id),
    ),
    ...repeated(
      ['teams'],
      'id',
      manifest.teams.map((team) => team.id),
    ),
    ...manifest.teams.flatMap((team, index) =>
      repeated(
        ['teams', index, 'keys'],
        'name',
        team.keys.map((key) => key.name),
      ),
    ),
  ];
}

function repeated(list: Path, field: string, names: readonly string[]): Complaint[] {
  const seen = new Set<string>();
  return names.flatMap((name, index) => {
    if (seen.has(name)) return [{ path: [...list, index, field], message: `"${name}" is given twice` }];
    seen.add(name);
    return [];
  });
}
