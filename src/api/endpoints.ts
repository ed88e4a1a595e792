/** `GET /models/{author}/{slug}/endpoints`: who serves a model, on which terms, and how they have done. */
import type { Context } from 'hono';
import { findModel, isVisible, modelNotFound } from '#src/catalog/match';
import type { Hall } from '#src/serve';
import { optionalCaller, waitUntilOf } from './caller.ts';
import { toEndpointBody, toModelEndpointsBody } from './model-body.ts';

/** Lists the endpoints of a model that the asker may know of, callable ones first. Throws GatewayError `model_not_found`. */
export async function serveEndpoints(hall: Hall, c: Context, name: string): Promise<Response> {
  const caller = await optionalCaller(hall, c);
  const snapshot = await hall.snapshot(waitUntilOf(c));
  const teamId = caller?.team?.id ?? null;
  const entry = findModel(snapshot, name, teamId);
  if (!entry) throw modelNotFound(snapshot, name, teamId);

  const stats = await hall.endpointStats(entry);
  const nowMs = hall.now();
  const endpoints = entry.offers
    .filter((offer) => isVisible(offer, teamId))
    .map((offer) =>
      toEndpointBody({
        offer,
        modelName: entry.model.name,
        stats: stats.get(offer.endpointId),
        isCallable: hall.isCallable(offer),
        showsSpeed: caller !== null,
        nowMs,
      }),
    )
    .sort((a, b) => b.status - a.status);
  return c.json({ data: toModelEndpointsBody(entry, endpoints) });
}
