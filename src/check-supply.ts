/**
 * Finds policies under which models have nobody left to serve them, by running the real hard filters over what a manifest would make of
 * the deployment. The rooms of routing meet here as they do in the hall; `headrace check` and `PUT /manifest` warn with it.
 */
import type { ModelEntry, Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { Manifest } from '#schema/manifest';
import type { ResolvedPolicy, StoredDocument } from '#schema/policy';
import { matchesGlob } from '#src/admission/caller';
import { resolvePolicy, type PolicyBook } from '#src/admission/resolve-policy';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import { findModel } from '#src/catalog/match';
import type { CatalogRows } from '#src/catalog/rows';
import type { DeploymentRows } from '#src/manifest/deployment-rows';
import { leastFacts } from '#src/routing/allowed';
import { toDemand } from '#src/routing/demand';
import { FILTER_SUBJECTS } from '#src/routing/filter-subjects';
import type { HardFilter } from '#src/routing/filters';
import { explainViolation } from '#src/routing/reasons';
import { survey } from '#src/routing/survey';

/** Callers looked at; a deployment with more has the same policies over and over. */
const CALLERS_MAX = 200;
const WARNINGS_MAX = 30;

export interface SupplyInput {
  manifest: Manifest;
  rows: DeploymentRows;
  nowMs: number;
  allowedHosts: readonly string[];
  /** Answers whether a secret is set where the manifest is to hold. */
  hasSecret(name: string): boolean;
}

/** Somebody whose requests share a policy. */
interface PolicyHolder {
  who: string;
  team: string | null;
  names: { team: string | null; key: string | null; request: string | null };
  /** Globs over model ids; null allows every model. */
  models: readonly string[] | null;
}

/** Lists what policies leave without any endpoint, one line each, with the hard filter that rejects most. Soft conditions, such as load, do not count. */
export function warnOfSupply(input: SupplyInput): string[] {
  const { manifest } = input;
  const { snapshot } = buildSnapshot(toCatalogRows(input.rows, input.nowMs), { ...input, version: 'check' });
  const book = toBook(manifest, input.rows);
  const isServed = servedBy(input);
  const holders = policyHolders(manifest);
  const warnings = holders.slice(0, CALLERS_MAX).flatMap((holder) => {
    const entries = [...snapshot.models.keys()]
      .filter((id) => holder.models === null || holder.models.some((glob) => matchesGlob(glob, id)))
      .flatMap((id) => findModel(snapshot, id, holder.team) ?? [])
      .map((entry) => ({ ...entry, offers: entry.offers.filter(isServed) }))
      .filter(({ offers }) => offers.some(({ ownerTeamId }) => ownerTeamId === null || ownerTeamId === holder.team));
    return warnOfHolder(holder, entries, { book, nowMs: input.nowMs });
  });
  const served = [...snapshot.models.values()].some(({ offers }) => offers.some(isServed));
  if (!served) return ['nothing can be called: the manifest names no endpoint, and no provider’s key is set here'];
  return warnings.length <= WARNINGS_MAX
    ? warnings
    : [...warnings.slice(0, WARNINGS_MAX), `${warnings.length - WARNINGS_MAX} further warnings of this kind`];
}

/** Counts what this deployment means to call: its own endpoints, the providers that it names, and those whose key is set. */
function servedBy({ manifest, rows, hasSecret }: SupplyInput): (offer: Offer) => boolean {
  const own = new Set(rows.endpoints.filter(({ source }) => source === 'manifest').map(({ id }) => id));
  const named = new Set(manifest.providers.map(({ id }) => id));
  return ({ endpointId, providerId, keySecret }) =>
    own.has(endpointId) || named.has(providerId) || (keySecret !== null && hasSecret(keySecret));
}

/** Lists teams, keys with words of their own, and policies that nobody holds but a request may name. */
function policyHolders(manifest: Manifest): PolicyHolder[] {
  const teams = manifest.teams.map((team) => ({
    who: `team ${team.id}`,
    team: team.id,
    names: { team: team.policy ?? null, key: null, request: null },
    models: null,
  }));
  const keys = manifest.teams.flatMap((team) =>
    team.keys
      .filter(({ policy, models }) => policy !== undefined || models !== undefined)
      .map((key) => ({
        who: `key ${team.id}/${key.name}`,
        team: team.id,
        names: { team: team.policy ?? null, key: key.policy ?? null, request: null },
        models: key.models ?? null,
      })),
  );
  const held = new Set([manifest.defaults.policy, ...[...teams, ...keys].flatMap(({ names }) => [names.team, names.key])]);
  const free = Object.keys(manifest.policies).filter((name) => !held.has(name));
  return [
    ...teams,
    ...keys,
    ...free.map((name) => ({ who: 'requests that name it', team: null, names: { team: null, key: null, request: name }, models: null })),
  ];
}

function warnOfHolder(
  holder: PolicyHolder,
  entries: readonly ModelEntry[],
  { book, nowMs }: { book: PolicyBook; nowMs: number },
): string[] {
  if (entries.length === 0) return [];
  let policy: ResolvedPolicy;
  try {
    policy = resolvePolicy(book, holder.names, []);
  } catch (failure) {
    if (!(failure instanceof GatewayError)) throw failure;
    const field = failure.param?.replace(/^provider\./, '') ?? 'its policies';
    return [`${holder.who}: nothing can satisfy \`${field}\` of the policies in force together: ${namesOf(holder, book).join(', ')}`];
  }
  const left = entries.flatMap((entry) => obstacleOf(entry, holder, { policy, nowMs }) ?? []);
  const [first] = left;
  if (first === undefined) return [];
  const share =
    left.length === entries.length
      ? entries.length === 1
        ? 'its model'
        : `all ${entries.length} models`
      : `${left.length} of ${entries.length} models`;
  return [`policy ${policy.name} leaves ${holder.who} no endpoint for ${share}; for ${first}`];
}

function namesOf({ names }: PolicyHolder, book: PolicyBook): string[] {
  return [book.defaultName, names.team, names.key, names.request].filter((name) => name !== null);
}

/** Says what keeps every endpoint of a model out; null where one is left. */
function obstacleOf(
  entry: ModelEntry,
  { team }: PolicyHolder,
  { policy, nowMs }: { policy: ResolvedPolicy; nowMs: number },
): string | null {
  const [operation = 'chat'] = entry.offers[0]?.operations ?? [];
  const demand = toDemand({ facts: leastFacts(team ?? '', operation), policy, nowMs, isCallable: () => true });
  const { offers, rejectionCounts, rejections } = survey([entry], demand);
  if (offers.length > 0) return null;
  const counts = Object.entries(rejectionCounts) as [HardFilter, number][];
  const [filter, count] = counts.sort(([, one], [, other]) => other - one)[0] ?? ['H7', 0];
  const example = rejections.find((rejection) => rejection.filter === filter)?.offer;
  const total = counts.reduce((sum, [, each]) => sum + each, 0);
  const reason = example === undefined ? '' : `; ${example.endpointId}: ${explainViolation(filter, example, demand)}`;
  return `${entry.model.id}: ${filter} ${FILTER_SUBJECTS[filter]} (${count} of ${total} endpoints${reason})`;
}

function toBook(manifest: Manifest, rows: DeploymentRows): PolicyBook {
  const stored = rows.policies.map(({ name, document }) => [name, { name, version: 1, document: document as StoredDocument }] as const);
  return { policies: new Map(stored), defaultName: manifest.defaults.policy ?? null };
}

/** Reads compiled rows as D1 would give them back: what is left out is null or its default. */
function toCatalogRows(rows: DeploymentRows, nowMs: number): CatalogRows {
  const nothing = { unitPicoUsd: null, cacheReadPicoUsdPerToken: null, cacheWritePicoUsdPerToken: null };
  return {
    version: 'check',
    models: rows.models.map((row) => ({ context: null, ...row })),
    aliases: rows.aliases,
    providers: rows.providers.map((row) => ({ keySecret: null, ...row })),
    endpoints: rows.endpoints,
    offers: rows.offers.map((row) => ({ ...nothing, ...row, validFromMs: Math.min(row.validFromMs ?? nowMs, nowMs) })),
    claims: rows.claims.map((row) => ({ expiresAtMs: null, ...row })),
    nextPriceAtMs: null,
    registrations: [],
  } as CatalogRows;
}
