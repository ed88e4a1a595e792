/** `GET /generation?id=`: the receipt of a request, for the team that made it. */
import type { Context } from 'hono';
import { GatewayError } from '#schema/error';
import type { Hall } from '#src/serve';
import { requireCaller } from './caller.ts';
import { toGenerationBody } from './generation-body.ts';

const ID_SHAPE = /^[\x21-\x7e]{1,100}$/;

/** Answers with a generation record. Absent and another team's are the same GatewayError `not_found`. */
export async function serveGeneration(hall: Hall, c: Context): Promise<Response> {
  const caller = await requireCaller(hall, c);
  const id = c.req.query('id') ?? '';
  if (id === '') throw new GatewayError('invalid_request', "The query parameter 'id' is required.", { param: 'id' });
  const receipt = caller.team && ID_SHAPE.test(id) ? await hall.findReceipt(caller.team.id, id) : null;
  if (!receipt || receipt.teamId !== caller.team?.id)
    throw new GatewayError('not_found', 'No generation of that id was found.', { param: 'id' });
  return c.json({ data: toGenerationBody(receipt) });
}
