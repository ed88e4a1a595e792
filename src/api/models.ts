/** `GET /models`, `/models/count` and `/models/{model}`: what can be called here. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { ModelEntry } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { Caller } from '#src/admission/admission';
import { mayUseModel } from '#src/admission/caller';
import { findModel, isVisible, modelNotFound } from '#src/catalog/match';
import type { Hall } from '#src/serve';
import { optionalCaller, waitUntilOf } from './caller.ts';
import { supportedParameters, toModelBody } from './model-body.ts';

const LIMIT_DEFAULT = 500;
const LIMIT_MAX = 1000;

/** Query of a model list. OpenRouter's names; filters that are not ours are ignored, as unknown query fields are everywhere. */
const modelsQuery = z.object({
  /** Part of an id or name, any case. */
  q: z.string().max(200).optional(),
  /** Comma-separated; all must be supported. */
  supported_parameters: z.string().max(500).optional(),
  /** Comma-separated; one must be offered. `all` or absent: any. */
  output_modalities: z.string().max(200).optional(),
  input_modalities: z.string().max(200).optional(),
  /** Least context, tokens. */
  context: z.coerce.number().int().nonnegative().optional(),
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
});
type ModelsQuery = z.infer<typeof modelsQuery>;

function readQuery(c: Context): ModelsQuery {
  const result = modelsQuery.safeParse(c.req.query());
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join('.') ?? '';
  throw new GatewayError('invalid_request', `Invalid value for the query parameter '${param}': ${issue?.message ?? 'not valid'}.`, {
    param,
  });
}

function words(list: string | undefined): string[] {
  return (list ?? '').split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]));
}

function isWanted({ model, offers }: ModelEntry, query: ModelsQuery): boolean {
  const text = query.q?.toLowerCase() ?? '';
  if (text !== '' && !model.id.toLowerCase().includes(text) && !model.name.toLowerCase().includes(text)) return false;
  const parameters = supportedParameters(offers);
  if (!words(query.supported_parameters).every((name) => parameters.includes(name))) return false;
  const outputs = words(query.output_modalities);
  if (outputs.length > 0 && !outputs.includes('all') && !outputs.some((kind) => model.outputModalities.includes(kind))) return false;
  if (!words(query.input_modalities).every((kind) => model.inputModalities.includes(kind))) return false;
  return query.context === undefined || offers.some((offer) => offer.context >= (query.context ?? 0));
}

/** Narrows a model to the offers that the asker could be served by; null when none is left. */
function usable(hall: Hall, { model, offers }: ModelEntry, caller: Caller | null): ModelEntry | null {
  if (caller && !mayUseModel(caller, model.id)) return null;
  const own = offers.filter((offer) => isVisible(offer, caller?.team?.id ?? null) && hall.isCallable(offer));
  return own.length === 0 ? null : { model, offers: own };
}

async function listModels(hall: Hall, c: Context, query: ModelsQuery): Promise<ModelEntry[]> {
  const caller = await optionalCaller(hall, c);
  const { models } = await hall.snapshot(waitUntilOf(c));
  const entries = [...models.values()].map((entry) => usable(hall, entry, caller)).filter((entry) => entry !== null);
  return entries
    .filter((entry) => isWanted(entry, query))
    .sort((a, b) => b.model.createdAtS - a.model.createdAtS || (a.model.id < b.model.id ? -1 : 1));
}

/** Lists the models that the asker can be served, newest first. Open to everybody; a key adds its team's own endpoints. */
export async function serveModels(hall: Hall, c: Context): Promise<Response> {
  const query = readQuery(c);
  const { offset, limit } = query;
  const entries = await listModels(hall, c, query);
  const next = new URL(c.req.url);
  next.searchParams.set('offset', String(offset + limit));
  return c.json({
    object: 'list',
    data: entries.slice(offset, offset + limit).map(toModelBody),
    total_count: entries.length,
    links: { next: offset + limit < entries.length ? `${next.pathname}${next.search}` : null },
  });
}

/** Counts what `GET /models` would list. */
export async function serveModelsCount(hall: Hall, c: Context): Promise<Response> {
  return c.json({ data: { count: (await listModels(hall, c, readQuery(c))).length } });
}

/** Describes one model by id or alias. Throws GatewayError `model_not_found`. */
export async function serveModel(hall: Hall, c: Context, name: string): Promise<Response> {
  const caller = await optionalCaller(hall, c);
  const snapshot = await hall.snapshot(waitUntilOf(c));
  const teamId = caller?.team?.id ?? null;
  const entry = findModel(snapshot, name, teamId);
  if (!entry) throw modelNotFound(snapshot, name, teamId);
  return c.json(toModelBody({ model: entry.model, offers: entry.offers.filter((offer) => isVisible(offer, teamId)) }));
}
