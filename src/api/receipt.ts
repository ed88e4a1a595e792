/** `GET /receipts/{id}`: the whole receipt of a request, for its team and for managers. */
import type { Context } from 'hono';
import type { Caller } from '#src/admission/admission';
import { generationTimeMs } from '#src/ledger/generation-id';
import { pause } from '#src/ledger/pause';
import type { Hall } from '#src/serve';
import { requireCaller } from './caller.ts';
import { requireReceipt, respondGeneration } from './generation.ts';

/** Younger receipts may still be on their way to D1. */
const FRESH_MS = 10_000;
const LOOK_AGAIN_AFTER_MS = [300, 700, 1000, 1500, 2000];

/** Answers as `GET /generation` does. Absent and another team's are the same GatewayError `not_found`. */
export async function serveReceipt(hall: Hall, c: Context): Promise<Response> {
  const caller = await requireCaller(hall, c);
  const id = c.req.param('id') ?? '';
  const teamId = caller.team?.id ?? (await findTeam(hall, caller, id));
  return respondGeneration(hall, c, await requireReceipt(hall, teamId, { id, param: 'id' }));
}

/** Finds whose receipt it is, for managers of every team. No Account object is asked, so a fresh receipt may take a few seconds; null when there is none. */
async function findTeam(hall: Hall, { kind }: Caller, id: string): Promise<string | null> {
  const madeAtMs = kind === 'management' ? generationTimeMs(id) : null;
  if (madeAtMs === null) return null;
  let teamId = await hall.books.teamOfReceipt(id);
  for (const delayMs of hall.now() - madeAtMs < FRESH_MS ? LOOK_AGAIN_AFTER_MS : []) {
    if (teamId !== null) break;
    await pause(delayMs);
    teamId = await hall.books.teamOfReceipt(id);
  }
  return teamId;
}
