/** `/byok`: keys that teams bring for providers, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import { createProviderKey, updateProviderKey } from '#schema/byok';
import { readContract } from '#schema/read-contract';
import type { StoredProviderKey } from '#src/byok/store';
import type { Hall } from '#src/serve';
import { reachOf, requireManager } from './caller.ts';
import { readBody } from './read-body.ts';
import { readQuery, whole } from './read-query.ts';

/** Keys in one answer unless the query asks for another number, and at most. */
const PAGE = 100;

/** Query of `GET /byok`. `workspace_id` is OpenRouter's word for a team. */
export const providerKeysQuery = z
  .object({
    offset: whole.default(0),
    limit: whole.refine((count) => count >= 1 && count <= PAGE, `expected a whole number from 1 to ${PAGE}`).default(PAGE),
    provider: z.string().max(64).optional(),
    team: z.string().max(64).optional(),
    workspace_id: z.string().max(64).optional(),
  })
  .meta({ id: 'ProviderKeysQuery' });

/** Lists provider keys, oldest first. */
export async function serveProviderKeys(hall: Hall, c: Context): Promise<Response> {
  const { offset, limit, provider = null, team, workspace_id: workspace } = readQuery(providerKeysQuery, c);
  const reach = reachOf(await requireManager(hall, c), team, workspace);
  const { keys, total } = reach === null ? { keys: [], total: 0 } : await hall.safe.list({ ...reach, provider, offset, limit });
  return c.json({ data: keys.map(toProviderKeyBody), total_count: total });
}

/** Takes a key in: 201. */
export async function serveCreateProviderKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  const key = await hall.safe.create(manager, readContract(createProviderKey, await readBody(c.req.raw)));
  return c.json({ data: toProviderKeyBody(key) }, 201);
}

/** Describes one key. */
export async function serveProviderKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  return c.json({ data: toProviderKeyBody(await hall.safe.find(manager, idOf(c))) });
}

/** Changes what the body names and nothing else. */
export async function serveChangeProviderKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  const wish = readContract(updateProviderKey, await readBody(c.req.raw));
  return c.json({ data: toProviderKeyBody(await hall.safe.change(manager, idOf(c), wish)) });
}

/** Removes a key for good. */
export async function serveDeleteProviderKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireManager(hall, c);
  await hall.safe.remove(manager, idOf(c));
  return c.json({ deleted: true });
}

function idOf(c: Context): string {
  return c.req.param('id') ?? '';
}

/** Prints a key in OpenRouter's record; its workspace is the team. */
function toProviderKeyBody({ id, providerId, label, name, disabled, teamId, origin, createdAtMs, updatedAtMs }: StoredProviderKey) {
  return {
    id,
    provider: providerId,
    label,
    name: name === '' ? null : name,
    disabled,
    workspace_id: teamId,
    created_at: new Date(createdAtMs).toISOString(),
    sort_order: 0,
    is_fallback: false,
    is_byok_only: true,
    is_required: true,
    allowed_models: null,
    allowed_api_key_hashes: null,
    allowed_user_ids: null,
    declared_zdr: null,
    headrace: { team: teamId, origin, updated_at: new Date(updatedAtMs).toISOString() },
  };
}
