/** `GET /generation?id=`: the receipt of a request, for the team that made it. */
import type { Context } from 'hono';
import { z } from 'zod';
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import type { Hall } from '#src/serve';
import { requireTeam, waitUntilOf } from './caller.ts';
import { toGenerationBody } from './generation-body.ts';
import { readQuery } from './read-query.ts';

/** Query of `GET /generation`. */
export const generationQuery = z.object({ id: z.string().min(1, 'is required') }).meta({ id: 'GenerationQuery' });

const ID_SHAPE = /^[\x21-\x7e]{1,100}$/;

/** Finds a receipt of a team (null: of none); `param` names the field that holds its id. Absent and another team's are the same GatewayError `not_found`. */
export async function requireReceipt(hall: Hall, teamId: string | null, { id, param }: { id: string; param: string }): Promise<Receipt> {
  const receipt = teamId !== null && ID_SHAPE.test(id) ? await hall.findReceipt(teamId, id) : null;
  if (receipt === null || receipt.teamId !== teamId) throw new GatewayError('not_found', 'No generation of that id was found.', { param });
  return receipt;
}

/** Answers with a generation record. Throws GatewayError `not_found`. */
export async function serveGeneration(hall: Hall, c: Context): Promise<Response> {
  const { team } = await requireTeam(hall, c);
  const { id } = readQuery(generationQuery, c);
  return respondGeneration(hall, c, await requireReceipt(hall, team.id, { id, param: 'id' }));
}

/** Prints a receipt, with the providers' names of now. */
export async function respondGeneration(hall: Hall, c: Context, receipt: Receipt): Promise<Response> {
  const { models, providers } = await hall.snapshot(waitUntilOf(c));
  const offers = models.get(receipt.model)?.offers ?? [];
  return c.json({
    data: toGenerationBody(receipt, ({ endpointId, providerId }) => {
      const offer = offers.find((candidate) => candidate.endpointId === endpointId);
      return offer?.providerName ?? providers.get(providerId)?.name ?? providerId;
    }),
  });
}
