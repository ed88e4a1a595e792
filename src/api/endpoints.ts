/** Lists of endpoints: who serves a model, on which terms, and how they have done; and all that are proven to retain nothing. */
import type { Context } from 'hono';
import { tierRank, type ModelEntry } from '#schema/catalog';
import type { Caller } from '#src/admission/admission';
import { findModel, isVisible, modelNotFound } from '#src/catalog/match';
import { statedTier } from '#src/catalog/stated-tier';
import type { Hall } from '#src/serve';
import { optionalCaller, waitUntilOf } from './caller.ts';
import { toEndpointBody, toModelEndpointsBody } from './endpoint-body.ts';

/** Describes the endpoints of models as far as the asker may know of them, callable ones first. */
async function describeEndpoints(hall: Hall, c: Context, { entries, caller }: { entries: readonly ModelEntry[]; caller: Caller | null }) {
  const nowMs = hall.now();
  const isCallable = await hall.callableBy(caller?.team ?? null, waitUntilOf(c));
  const stats = await hall.endpointStats(entries.flatMap(({ offers }) => offers));
  return entries
    .flatMap(({ model, offers }) => offers.map((offer) => ({ offer, modelName: model.name, stats: stats.get(offer.endpointId) })))
    .map((view) => toEndpointBody({ ...view, isCallable: isCallable(view.offer), showsSpeed: caller !== null, nowMs }))
    .sort((a, b) => b.status - a.status);
}

function narrow({ model, offers }: ModelEntry, caller: Caller | null): ModelEntry {
  return { model, offers: offers.filter((offer) => isVisible(offer, caller?.team?.id ?? null)) };
}

/** Answers `GET /models/{author}/{slug}/endpoints`. Throws GatewayError `model_not_found`. */
export async function serveEndpoints(hall: Hall, c: Context, name: string): Promise<Response> {
  const caller = await optionalCaller(hall, c);
  const snapshot = await hall.snapshot(waitUntilOf(c));
  const teamId = caller?.team?.id ?? null;
  const entry = findModel(snapshot, name, teamId);
  if (!entry) throw modelNotFound(snapshot, name, teamId);
  return c.json({ data: toModelEndpointsBody(entry, await describeEndpoints(hall, c, { entries: [narrow(entry, caller)], caller })) });
}

/** Answers `GET /endpoints/zdr`: endpoints that can be called and whose claims reach `zero_retention` for anybody. */
export async function serveZdrEndpoints(hall: Hall, c: Context): Promise<Response> {
  const caller = await optionalCaller(hall, c);
  const { models } = await hall.snapshot(waitUntilOf(c));
  const nowMs = hall.now();
  const isCallable = await hall.callableBy(caller?.team ?? null, waitUntilOf(c));
  const entries = [...models.values()].map((entry) => {
    const { model, offers } = narrow(entry, caller);
    const proven = offers.filter((offer) => tierRank(statedTier(offer, nowMs).tier) >= tierRank('zero_retention'));
    return { model, offers: proven.filter(isCallable) };
  });
  return c.json({ data: await describeEndpoints(hall, c, { entries, caller }) });
}
