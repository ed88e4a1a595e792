/** Lists of models, and one model: what can be called here. */
import type { Context } from 'hono';
import type { ModelEntry, Offer } from '#schema/catalog';
import type { Caller } from '#src/admission/admission';
import { mayUseModel } from '#src/admission/caller';
import { findModel, isVisible, modelNotFound } from '#src/catalog/match';
import { allowedOffers } from '#src/routing/allowed';
import type { Hall } from '#src/serve';
import { optionalCaller, requireTeam, waitUntilOf } from './caller.ts';
import { isWanted } from './filter-models.ts';
import { toModelBody } from './model-body.ts';
import { embeddingModelsQuery, modelsQuery, type ModelsQuery } from './models-query.ts';
import { readQuery } from './read-query.ts';
import { historyOf, NO_HISTORY, sortModels, type History } from './sort-models.ts';

/** Models on a page whose length is not stated, as in OpenRouter. */
const PAGE = 500;

/** Answers `GET /models`. Open to everybody; a key adds its team's own endpoints. Text models unless `output_modalities` says otherwise. */
export async function serveModels(hall: Hall, c: Context): Promise<Response> {
  const query = readQuery(modelsQuery, c);
  return respondPage(hall, c, query, await findUsable(hall, c));
}

/** Answers `GET /models/count`: how many models `GET /models` would list on all its pages. */
export async function serveModelsCount(hall: Hall, c: Context): Promise<Response> {
  const query = readQuery(modelsQuery, c);
  const wanted = (await findUsable(hall, c)).filter((entry) => isWanted(entry, query, hall.now()));
  return c.json({ data: { count: wanted.length } });
}

/** Answers `GET /embeddings/models`. */
export async function serveEmbeddingModels(hall: Hall, c: Context): Promise<Response> {
  const query: ModelsQuery = { ...readQuery(embeddingModelsQuery, c), output_modalities: ['embeddings'] };
  return respondPage(hall, c, query, await findUsable(hall, c));
}

/** Answers `GET /models/user`: of all models those that the key and the policies in force leave some endpoint for. */
export async function serveUserModels(hall: Hall, c: Context): Promise<Response> {
  const query = readQuery(modelsQuery, c);
  const { caller, team } = await requireTeam(hall, c);
  const policy = await hall.policyOf(caller, waitUntilOf(c));
  const isCallable = await hall.callableBy(team, waitUntilOf(c));
  const terms = { policy, teamId: team.id, nowMs: hall.now(), isCallable };
  const entries = (await findUsable(hall, c)).map(({ model, offers }) => ({ model, offers: allowedOffers(offers, terms) }));
  return respondPage(
    hall,
    c,
    query,
    entries.filter(({ offers }) => offers.length > 0),
  );
}

/** Answers `GET /models/{author}/{slug}`, OpenAI's retrieval of one model by id or alias. Throws GatewayError `model_not_found`. */
export async function serveModel(hall: Hall, c: Context, name: string): Promise<Response> {
  return c.json(toModelBody(await findOne(hall, c, name)));
}

/** Answers `GET /model/{author}/{slug}`, OpenRouter's. Throws GatewayError `model_not_found`. */
export async function serveModelData(hall: Hall, c: Context): Promise<Response> {
  return c.json({ data: toModelBody(await findOne(hall, c, c.req.param('name') ?? '')) });
}

async function findOne(hall: Hall, c: Context, name: string): Promise<ModelEntry> {
  const caller = await optionalCaller(hall, c);
  const snapshot = await hall.snapshot(waitUntilOf(c));
  const teamId = caller?.team?.id ?? null;
  const entry = findModel(snapshot, name, teamId);
  if (!entry) throw modelNotFound(snapshot, name, teamId);
  return { model: entry.model, offers: entry.offers.filter((offer) => isVisible(offer, teamId)) };
}

/** Finds the models that the asker could be served, each with the offers that could. */
async function findUsable(hall: Hall, c: Context): Promise<ModelEntry[]> {
  const caller = await optionalCaller(hall, c);
  const { models } = await hall.snapshot(waitUntilOf(c));
  const isCallable = await hall.callableBy(caller?.team ?? null, waitUntilOf(c));
  return [...models.values()].map((entry) => usable(entry, caller, isCallable)).filter((entry) => entry !== null);
}

function usable({ model, offers }: ModelEntry, caller: Caller | null, isCallable: (offer: Offer) => boolean): ModelEntry | null {
  if (caller && !mayUseModel(caller, model.id)) return null;
  const own = offers.filter((offer) => isVisible(offer, caller?.team?.id ?? null) && isCallable(offer));
  return own.length === 0 ? null : { model, offers: own };
}

async function respondPage(hall: Hall, c: Context, query: ModelsQuery, entries: readonly ModelEntry[]): Promise<Response> {
  const wanted = entries.filter((entry) => isWanted(entry, query, hall.now()));
  const sorted = sortModels(wanted, query.sort, await readHistory(hall, query, wanted));
  const { offset, limit } = pageOf(query, sorted.length);
  return c.json({
    object: 'list',
    data: sorted.slice(offset, offset + limit).map(toModelBody),
    total_count: sorted.length,
    links: { next: offset + limit < sorted.length ? nextPage(c, offset + limit) : null },
  });
}

function nextPage(c: Context, offset: number): string {
  const query = new URLSearchParams({ ...c.req.query(), offset: String(offset) });
  return `${c.req.path}?${query.toString()}`;
}

/** Everything at once where a query asks for no page, as in OpenRouter: OpenAI's clients never ask for the next one. */
function pageOf({ offset, limit }: ModelsQuery, total: number): { offset: number; limit: number } {
  if (offset === undefined && limit === undefined) return { offset: 0, limit: total };
  return { offset: offset ?? 0, limit: limit ?? PAGE };
}

async function readHistory(hall: Hall, { sort }: ModelsQuery, entries: readonly ModelEntry[]): Promise<History> {
  switch (historyOf(sort)) {
    case 'stats':
      return { ...NO_HISTORY, stats: await hall.endpointStats(entries.flatMap(({ offers }) => offers)) };
    case 'traffic':
      return { ...NO_HISTORY, traffic: await hall.books.traffic() };
    case null:
      return NO_HISTORY;
  }
}
