/** `POST /explain`: the plan that a chat would follow now, or the plan of a receipt made again. */
import type { Context } from 'hono';
import { z } from 'zod';
import { GatewayError } from '#schema/error';
import type { Hall } from '#src/serve';
import { chat } from '#src/skins/chat/chat';
import { requireTeam, waitUntilOf } from './caller.ts';
import { requireReceipt } from './generation.ts';
import { toCall } from './infer.ts';
import { toPlanBody } from './plan-body.ts';
import { readBody } from './read-body.ts';
import { readQuery } from './read-query.ts';

/** Query of `POST /explain`. */
export const explainQuery = z.object({ generation: z.string().min(1).optional() }).meta({ id: 'ExplainQuery' });

/** Answers with a plan. Dispatches nothing, charges nothing. */
export async function serveExplain(hall: Hall, c: Context): Promise<Response> {
  const { generation } = readQuery(explainQuery, c);
  if (generation !== undefined) return serveReplay(hall, c, generation);
  const call = await toCall(hall, { request: c.req.raw, waitUntil: waitUntilOf(c) }, readBody);
  const { plan, policy } = await hall.explain(call, chat);
  return Response.json({ ...toPlanBody(plan), policy: { name: policy.name, version: policy.version } });
}

/** Throws GatewayError: `not_found`, `invalid_request` for a receipt that does not hold what its plan depended on. */
async function serveReplay(hall: Hall, c: Context, id: string): Promise<Response> {
  const { team } = await requireTeam(hall, c);
  const { plan } = await requireReceipt(hall, team.id, { id, param: 'generation' });
  const { inputs } = plan;
  if (inputs === null) {
    throw new GatewayError('invalid_request', 'The receipt of this generation does not hold the inputs of its plan.', {
      param: 'generation',
    });
  }
  const replayed = await hall.replay({ ...plan, inputs }, waitUntilOf(c));
  const [before, after] = [plan, replayed].map(({ candidates }) => candidates.map(({ endpointId }) => endpointId));
  return c.json({
    object: 'replay',
    generation: id,
    same_snapshot: replayed.snapshotVersion === plan.snapshotVersion,
    same_order: JSON.stringify(before) === JSON.stringify(after),
    recorded: before,
    replayed: after,
    plan: toPlanBody(replayed),
  });
}
