/** `/keys`: inference keys, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { BudgetPeriod } from '#schema/budget-period';
import { createKey, updateKey } from '#schema/key';
import { readContract } from '#schema/read-contract';
import type { StoredKey } from '#src/keys/store';
import type { Hall } from '#src/serve';
import { NO_USAGE } from '#src/usage/books';
import type { KeyUsage } from '#src/usage/store';
import { requireManager } from './caller.ts';
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
    workspace_id: z.string().max(64).optional(),
  })
  .meta({ id: 'KeysQuery' });

/** Lists keys, oldest first, a hundred at a time. */
export async function serveKeys(hall: Hall, c: Context): Promise<Response> {
  const { offset, include_disabled: includeDisabled, workspace_id: workspace } = readQuery(keysQuery, c);
  const teamId = await requireManager(hall, c);
  const isForeign = teamId !== null && workspace !== undefined && workspace !== teamId;
  const keys = isForeign ? [] : await hall.keys.list({ teamId: teamId ?? workspace ?? null, includeDisabled, offset, limit: PAGE });
  return c.json({ data: await describeKeys(hall, keys) });
}

/** Makes a key: 201, with the key itself for the only time. */
export async function serveCreateKey(hall: Hall, c: Context): Promise<Response> {
  const teamId = await requireManager(hall, c);
  const { key, token } = await hall.keys.create(teamId, readContract(createKey, await readBody(c.req.raw)));
  return c.json({ data: toKeyBody(key, NO_USAGE), key: token }, 201);
}

/** Describes one key. */
export async function serveKeyByHash(hall: Hall, c: Context): Promise<Response> {
  const teamId = await requireManager(hall, c);
  return respondKey(hall, c, await hall.keys.find(teamId, hashOf(c)));
}

/** Changes what the body names and nothing else. */
export async function serveChangeKey(hall: Hall, c: Context): Promise<Response> {
  const teamId = await requireManager(hall, c);
  const wish = readContract(updateKey, await readBody(c.req.raw));
  return respondKey(hall, c, await hall.keys.change(teamId, hashOf(c), wish));
}

/** Removes a key for good; its receipts stay. */
export async function serveDeleteKey(hall: Hall, c: Context): Promise<Response> {
  const teamId = await requireManager(hall, c);
  await hall.keys.remove(teamId, hashOf(c));
  return c.json({ deleted: true });
}

function hashOf(c: Context): string {
  return (c.req.param('hash') ?? '').toLowerCase();
}

async function respondKey(hall: Hall, c: Context, key: StoredKey): Promise<Response> {
  const [data] = await describeKeys(hall, [key]);
  return c.json({ data });
}

async function describeKeys(hall: Hall, keys: readonly StoredKey[]) {
  const usage = await hall.books.ofKeys(keys.map(({ id }) => id));
  return keys.map((key) => toKeyBody(key, usage.get(key.id) ?? NO_USAGE));
}

/** Prints a key in OpenRouter's record; its workspace is the team. */
function toKeyBody(key: StoredKey, usage: KeyUsage) {
  const { hash, label, name, disabled, teamId, budgetNanoUsd, budgetPeriod, policy, models, source } = key;
  const hasBudget = budgetNanoUsd !== null && budgetPeriod !== null;
  return {
    hash,
    label,
    name,
    disabled,
    ...toLimitBody(hasBudget ? { nanoUsd: budgetNanoUsd, period: budgetPeriod as BudgetPeriod } : null, usage),
    created_at: new Date(key.createdAtMs).toISOString(),
    updated_at: new Date(key.updatedAtMs).toISOString(),
    expires_at: key.expiresAtMs === null ? null : new Date(key.expiresAtMs).toISOString(),
    creator_user_id: null,
    external_user: null,
    workspace_id: teamId ?? '',
    headrace: { team: teamId, policy, models, source },
  };
}
