/** `/manifest`: the deployment as code, for the holders of its management keys. */
import type { Context } from 'hono';
import { applyManifest } from '#schema/manage-manifest';
import { readContract } from '#schema/read-contract';
import type { Hall } from '#src/serve';
import { requireDeploymentManager } from './caller.ts';
import { readBody } from './read-body.ts';

/** A manifest has 1 MiB at most; beside it come the hashes of its keys, 20,000 of some 150 bytes at most. */
const APPLY_BYTES_MAX = 5 * 1024 * 1024;

/** Applies a manifest, or says what applying it would change. */
export async function serveApplyManifest(hall: Hall, c: Context): Promise<Response> {
  const { actor } = await requireDeploymentManager(hall, c);
  const wish = readContract(applyManifest, await readBody(c.req.raw, APPLY_BYTES_MAX));
  return c.json({ data: await hall.deployment.apply(wish, actor) });
}

/** Shows the manifest that was applied last. */
export async function serveManifest(hall: Hall, c: Context): Promise<Response> {
  await requireDeploymentManager(hall, c);
  const stored = await hall.deployment.manifest();
  if (stored === null) return c.json({ data: null });
  const { version, digest, text, appliedAtMs, actor } = stored;
  return c.json({ data: { version, digest, text, applied_at: new Date(appliedAtMs).toISOString(), actor } });
}
