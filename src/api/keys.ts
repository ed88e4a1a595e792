/** `/keys`: inference keys, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { BudgetPeriod } from '#schema/budget-period';
import { createKey, rotateKey, updateKey } from '#schema/key';
import { readContract } from '#schema/read-contract';
import type { StoredKey } from '#src/keys/store';
import type { Hall } from '#src/serve';
import { NO_USAGE } from '#src/usage/books';
import type { KeyUsage } from '#src/usage/store';
import { reachOf, requireManager } from './caller.ts';
import { toLimitBody } from './limit-body.ts';
import { readBody } from './read-body.ts';
import { readQuery, whole } from './read-query.ts';

/** Keys in one answer, as in OpenRouter. */
const PAGE = 100;

/** Query of `GET /keys`. `workspace_id` is OpenRouter's word for a team. */
export const keysQuery = z
  .object({
    offset: whole.default(0),
    include_disabled: z
      .enum(['true', 'false'])
      .default('false')
      .transform((word) => word === 'true'),
    team: z.string().max(64).optional(),
    workspace_id: z.string().max(64).optional(),
  })
  .meta({ id: 'KeysQuery' });

/** Lists keys, oldest first, a hundred at a time. */
export async function serveKeys(hall: Hall, c: Context): Promise<Response> {
  const { offset, include_disabled: includeDisabled, team, workspace_id: workspace } = readQuery(keysQuery, c);
  const reach = reachOf(await requireManager(hall, c), team, workspace);
  const keys = reach === null ? [] : await hall.keys.list({ ...reach, includeDisabled, offset, limit: PAGE });
  return c.json({ data: await describeKeys(hall, keys) });
}

/** Makes a key: 201, with the key itself for the only time. */
export async function serveCreateKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  const { key, token } = await hall.keys.create(manager, readContract(createKey, await readBody(c.req.raw)));
  return c.json({ data: toKeyBody(key, NO_USAGE), key: token }, 201);
}

/** Describes one key. */
export async function serveKeyByHash(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  return c.json({ data: await describeKey(hall, await hall.keys.find(manager, hashOf(c))) });
}

/** Changes what the body names and nothing else; tells what became different. */
export async function serveChangeKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  const wish = readContract(updateKey, await readBody(c.req.raw));
  const { key, changes } = await hall.keys.change(manager, hashOf(c), wish);
  return c.json({ data: await describeKey(hall, key), changes });
}

/** Gives a key a new token: 201, with the token for the only time, and until when the old one works. */
export async function serveRotateKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  const wish = readContract(rotateKey, await readOptionalBody(c));
  const hash = hashOf(c);
  const { key, token, oldWorksUntilMs } = await hall.keys.rotate(manager, hash, wish);
  const replaces = { hash, works_until: new Date(oldWorksUntilMs).toISOString() };
  return c.json({ data: await describeKey(hall, key), key: token, replaces }, 201);
}

/** Removes a key for good; its receipts stay. */
export async function serveDeleteKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  await hall.keys.remove(manager, hashOf(c));
  return c.json({ deleted: true });
}

function hashOf(c: Context): string {
  return (c.req.param('hash') ?? '').toLowerCase();
}

/** Reads a body in which everything is optional: none at all is an empty one. */
async function readOptionalBody(c: Context): Promise<unknown> {
  return c.req.raw.body === null || c.req.header('content-length') === '0' ? {} : readBody(c.req.raw);
}

async function describeKey(hall: Hall, key: StoredKey): Promise<KeyBody | undefined> {
  return (await describeKeys(hall, [key]))[0];
}

async function describeKeys(hall: Hall, keys: readonly StoredKey[]): Promise<KeyBody[]> {
  const [usage, spent] = await Promise.all([hall.books.ofKeys(keys.map(({ id }) => id)), hall.teams.spentByKeys(keys)]);
  return keys.map((key) => toKeyBody(key, usage.get(key.id) ?? NO_USAGE, spent.get(key.id)));
}

type KeyBody = ReturnType<typeof toKeyBody>;

/** Prints a key in OpenRouter's record; its workspace is the team. */
function toKeyBody(key: StoredKey, usage: KeyUsage, spentNanoUsd?: number) {
  const { hash, label, name, disabled, teamId, budgetNanoUsd, budgetPeriod, policy, models, limits, source } = key;
  const hasBudget = budgetNanoUsd !== null && budgetPeriod !== null;
  return {
    hash,
    label,
    name,
    disabled,
    ...toLimitBody(hasBudget ? { nanoUsd: budgetNanoUsd, period: budgetPeriod as BudgetPeriod } : null, usage, spentNanoUsd),
    created_at: new Date(key.createdAtMs).toISOString(),
    updated_at: new Date(key.updatedAtMs).toISOString(),
    expires_at: key.expiresAtMs === null ? null : new Date(key.expiresAtMs).toISOString(),
    creator_user_id: null,
    external_user: null,
    workspace_id: teamId ?? '',
    headrace: { team: teamId, policy, models, limits, source, previous: toPrevious(key) },
  };
}

/** The key that this one replaced, while there is one that may still work. */
function toPrevious({ previousHash, previousExpiresAtMs }: StoredKey) {
  if (previousHash === null || previousExpiresAtMs === null) return null;
  return { hash: previousHash, works_until: new Date(previousExpiresAtMs).toISOString() };
}
