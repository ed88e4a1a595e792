/** Turns a checked manifest into the rows that make the deployment match it. Pure: the same input gives the same rows. */
import type { Manifest, ManifestKey } from '#schema/manifest';
import { toNanoUsd } from '#schema/money';
import { compileCatalogue, type CatalogueSeed } from './compile-catalogue.ts';
import { compileEndpoints } from './compile-endpoints.ts';
import { compileFeeds } from './compile-feeds.ts';
import type { DeploymentRows } from './deployment-rows.ts';
import { toStoredDocument } from './lineage.ts';
import type { CardFacts } from './card-facts.ts';
import { secretNameOf, sha256Hex } from './secrets.ts';

/** A client's key as the deployment keeps it: never the key itself. */
export interface ResolvedKey {
  /** SHA-256, hex. */
  hash: string;
  /** First and last characters, for people. */
  label: string;
}

export interface CompileInput {
  manifest: Manifest;
  cards: ReadonlyMap<string, CardFacts>;
  catalogue: CatalogueSeed;
  /** Resolved client keys by `keyId(team, name)`; a key that is missing here is left out. */
  clientKeys: ReadonlyMap<string, ResolvedKey>;
  /** The keys that `npm start` makes: one of the first team, and one to manage with. */
  localKeys?: { inference: ResolvedKey; management: ResolvedKey };
}

/** Team of the local key when the manifest has none. */
const LOCAL_TEAM = 'local';

/** Names a manifest key for good: the id outlives a rotation of the key. */
export function keyId(team: string | null, name: string): string {
  return `key-${sha256Hex(`${team ?? ''}/${name}`).slice(0, 16)}`;
}

/** Compiles all tables. Expects a manifest that passed `parseManifest`. */
export function compileManifest(input: CompileInput): DeploymentRows {
  const { manifest, cards } = input;
  const secrets = new Map(manifest.providers.map(({ id, key }) => [id, secretNameOf(key)]));
  const catalogue = compileCatalogue(input.catalogue, cards, secrets);
  const own = compileEndpoints(manifest.endpoints, cards, catalogue.models, secrets);
  const feeds = compileFeeds(manifest.price_feeds, cards, secrets);
  const defaultPolicy = manifest.defaults.policy;
  return {
    meta: defaultPolicy === undefined ? [] : [{ name: 'default_policy', value: defaultPolicy }],
    teams: compileTeams(input),
    keys: compileKeys(input),
    policies: Object.keys(manifest.policies).map((name) => ({
      name,
      document: toStoredDocument(name, manifest.policies),
      source: 'manifest',
    })),
    providers: [...catalogue.providers, ...feeds.providers],
    models: [...catalogue.models, ...own.models],
    aliases: Object.entries(manifest.aliases).map(([alias, modelId]) => ({ alias, modelId, source: 'manifest' })),
    endpoints: [...catalogue.endpoints, ...own.endpoints],
    claims: catalogue.claims,
    price_feeds: feeds.price_feeds,
    offers: [...catalogue.offers, ...own.offers],
  };
}

function compileTeams({ manifest, localKeys }: CompileInput): DeploymentRows['teams'] {
  const rows = manifest.teams.map((team) => ({
    id: team.id,
    policy: team.policy ?? null,
    limits: team.limits ?? null,
    ...budgetOf(team.budget),
  }));
  if (rows.length > 0 || localKeys === undefined) return rows;
  return [{ id: LOCAL_TEAM, policy: null, limits: null, ...budgetOf(undefined) }];
}

function budgetOf(budget: ManifestKey['budget']): { budgetNanoUsd: number | null; budgetPeriod: string | null } {
  return { budgetNanoUsd: budget === undefined ? null : toNanoUsd(budget.usd), budgetPeriod: budget?.per ?? null };
}

function compileKeys({ manifest, clientKeys, localKeys }: CompileInput): DeploymentRows['keys'] {
  const base = { disabled: false, expiresAtMs: null, source: 'manifest', previousHash: null, previousExpiresAtMs: null };
  const unrestricted = { policy: null, models: null, limits: null, ...budgetOf(undefined) };
  const management = manifest.management_keys.flatMap((key) => {
    const id = keyId(null, key.name);
    const resolved = clientKeys.get(id);
    if (resolved === undefined) return [];
    return [{ ...base, ...unrestricted, ...lifeOf(key), ...resolved, id, name: key.name, teamId: key.team ?? null, kind: 'management' }];
  });
  const inference = manifest.teams.flatMap((team) =>
    team.keys.flatMap((key) => {
      const id = keyId(team.id, key.name);
      const resolved = clientKeys.get(id);
      if (resolved === undefined) return [];
      const { policy = null, models = null, limits = null } = key;
      const wishes = { policy, models, limits, ...budgetOf(key.budget), ...lifeOf(key) };
      return [{ ...base, ...wishes, ...resolved, id, name: key.name, teamId: team.id, kind: 'inference' }];
    }),
  );
  if (localKeys === undefined) return [...management, ...inference];
  const teamId = manifest.teams[0]?.id ?? LOCAL_TEAM;
  const local = { ...base, ...unrestricted, name: 'local', source: 'local' };
  return [
    ...management,
    ...inference,
    { ...local, ...localKeys.inference, id: 'key-local', teamId, kind: 'inference' },
    { ...local, ...localKeys.management, id: 'key-local-management', teamId: null, kind: 'management' },
  ];
}

/** A date without a time means its beginning in UTC. */
function lifeOf({ expires, disabled }: Pick<ManifestKey, 'expires' | 'disabled'>): { expiresAtMs: number | null; disabled: boolean } {
  return { expiresAtMs: expires === undefined ? null : Date.parse(expires), disabled };
}
