/** `/policies`: stored policies and their versions, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { PolicyVersion } from '#src/manifest/history-store';
import type { Hall } from '#src/serve';
import { requireManager } from './caller.ts';
import { readQuery, whole } from './read-query.ts';

/** Query of `GET /policies/{name}`. */
export const policyQuery = z
  .object({ version: whole.optional().describe('As it was under this version, such as a receipt names; else as it is.') })
  .meta({ id: 'PolicyQuery' });

/** Lists policies by name. */
export async function servePolicies(hall: Hall, c: Context): Promise<Response> {
  await requireManager(hall, c);
  const { policies, defaultName } = await hall.deployment.policies();
  return c.json({ data: policies.map(toBody), default: defaultName });
}

/** Shows one policy, as it is or was. */
export async function servePolicy(hall: Hall, c: Context): Promise<Response> {
  await requireManager(hall, c);
  const { version } = readQuery(policyQuery, c);
  return c.json({ data: toBody(await hall.deployment.policy(c.req.param('name') ?? '', version ?? null)) });
}

function toBody({ name, version, document, updatedAtMs }: PolicyVersion) {
  return { name, version, document, updated_at: new Date(updatedAtMs).toISOString() };
}
