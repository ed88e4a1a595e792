/** Every path of one version of the API and who serves it. */
import type { Context } from 'hono';
import type { Skin, UnitSkin } from '#schema/skin';
import type { Hall } from '#src/serve';
import { chat } from '#src/skins/chat/chat';
import { completions } from '#src/skins/completions/completions';
import { messages } from '#src/skins/messages/messages';
import { responses } from '#src/skins/responses/responses';
import { embeddings } from '#src/skins/units/embeddings';
import { images, openRouterImages } from '#src/skins/units/images';
import { rerank } from '#src/skins/units/rerank';
import { speech } from '#src/skins/units/speech';
import { transcriptions } from '#src/skins/units/transcriptions';
import { serveActivity } from './activity.ts';
import { serveAudit } from './audit.ts';
import { serveChangeProviderKey, serveCreateProviderKey, serveDeleteProviderKey, serveProviderKey, serveProviderKeys } from './byok.ts';
import { waitUntilOf } from './caller.ts';
import { serveCatalog } from './catalog-feed.ts';
import { serveCountTokens } from './count-tokens.ts';
import { serveAddCredit, serveCredits } from './credits.ts';
import { serveEndpoints, serveZdrEndpoints } from './endpoints.ts';
import { serveExplain } from './explain.ts';
import { serveGeneration } from './generation.ts';
import { serveHealth } from './health.ts';
import { serveSkin, serveUnit, type Arrival } from './infer.ts';
import { serveKey } from './key.ts';
import { serveChangeKey, serveCreateKey, serveDeleteKey, serveKeyByHash, serveKeys, serveRotateKey } from './keys.ts';
import { serveEmbeddingModels, serveModel, serveModelData, serveModels, serveModelsCount, serveUserModels } from './models.ts';
import { serveApplyManifest, serveManifest } from './manifest.ts';
import { serveNodeLink } from './nodes-link.ts';
import { serveCreateJoinToken, serveDrainNode, serveJoinNode, serveLeaveNode, serveNode, serveNodes } from './nodes.ts';
import { serveOpenapi } from './openapi.ts';
import {
  serveCreateOperator,
  serveCreateOperatorKey,
  serveDeleteOperator,
  serveOperator,
  serveOperatorKeys,
  serveOperators,
  serveRevokeOperatorKey,
} from './operators.ts';
import { servePolicies, servePolicy } from './policies.ts';
import { serveDecidePrice, serveHeldPrices, servePriceFeeds, serveReadPriceFeed } from './prices.ts';
import { serveProviders } from './providers.ts';
import { readBody } from './read-body.ts';
import { isForm, readForm } from './read-form.ts';
import { serveReceipt } from './receipt.ts';
import {
  serveChangeEndpoint,
  serveProbeEndpoint,
  serveRegisteredEndpoint,
  serveRegisteredEndpoints,
  serveRegisterEndpoint,
  serveRetireEndpoint,
} from './registered-endpoints.ts';
import { serveTeam, serveTeams } from './teams.ts';
import { serveUsage } from './usage.ts';
import { serveReceipts } from './receipts-feed.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Surface {
  method: Method;
  /** Hono's pattern, relative to where the API is mounted. */
  path: string;
  serve(hall: Hall, c: Context): Response | Promise<Response>;
}

/** A model's name in a path; it may hold slashes, encoded or not. */
const MODEL_NAME = ':name{.+}';

function arrivalOf(c: Context): Arrival {
  return { request: c.req.raw, waitUntil: waitUntilOf(c) };
}

function speak(skin: Skin): Surface['serve'] {
  return (hall, c) => serveSkin(hall, skin, arrivalOf(c));
}

function speakWhole(skin: UnitSkin, read = readBody): Surface['serve'] {
  return (hall, c) => serveUnit(hall, skin, arrivalOf(c), read);
}

function readFormOrBody(request: Request): Promise<unknown> {
  return isForm(request) ? readForm(request) : readBody(request);
}

function serveModelPath(hall: Hall, c: Context): Promise<Response> {
  const path = c.req.param('name') ?? '';
  const suffix = '/endpoints';
  return path.endsWith(suffix) ? serveEndpoints(hall, c, path.slice(0, -suffix.length)) : serveModel(hall, c, path);
}

/** Mounted under each version's base. What is not described in `openapi/` does not compile. */
export const SURFACES = [
  { method: 'POST', path: '/chat/completions', serve: speak(chat) },
  { method: 'POST', path: '/completions', serve: speak(completions) },
  { method: 'POST', path: '/responses', serve: speak(responses) },
  { method: 'POST', path: '/messages', serve: speak(messages) },
  { method: 'POST', path: '/messages/count_tokens', serve: (hall, c) => serveCountTokens(hall, arrivalOf(c)) },
  { method: 'POST', path: '/embeddings', serve: speakWhole(embeddings) },
  { method: 'POST', path: '/rerank', serve: speakWhole(rerank) },
  { method: 'POST', path: '/images/generations', serve: speakWhole(images) },
  { method: 'POST', path: '/images', serve: speakWhole(openRouterImages) },
  { method: 'POST', path: '/audio/speech', serve: speakWhole(speech) },
  { method: 'POST', path: '/audio/transcriptions', serve: speakWhole(transcriptions, readFormOrBody) },
  { method: 'POST', path: '/explain', serve: serveExplain },
  { method: 'GET', path: '/models', serve: serveModels },
  { method: 'GET', path: '/models/count', serve: serveModelsCount },
  { method: 'GET', path: '/models/user', serve: serveUserModels },
  { method: 'GET', path: `/models/${MODEL_NAME}`, serve: serveModelPath },
  { method: 'GET', path: `/model/${MODEL_NAME}`, serve: serveModelData },
  { method: 'GET', path: '/embeddings/models', serve: serveEmbeddingModels },
  { method: 'GET', path: '/endpoints/zdr', serve: serveZdrEndpoints },
  { method: 'GET', path: '/endpoints', serve: serveRegisteredEndpoints },
  { method: 'POST', path: '/endpoints', serve: serveRegisterEndpoint },
  { method: 'GET', path: '/endpoints/:id', serve: serveRegisteredEndpoint },
  { method: 'PATCH', path: '/endpoints/:id', serve: serveChangeEndpoint },
  { method: 'DELETE', path: '/endpoints/:id', serve: serveRetireEndpoint },
  { method: 'POST', path: '/endpoints/:id/probe', serve: serveProbeEndpoint },
  { method: 'GET', path: '/operators', serve: serveOperators },
  { method: 'POST', path: '/operators', serve: serveCreateOperator },
  { method: 'GET', path: '/operators/:id', serve: serveOperator },
  { method: 'DELETE', path: '/operators/:id', serve: serveDeleteOperator },
  { method: 'GET', path: '/operators/:id/keys', serve: serveOperatorKeys },
  { method: 'POST', path: '/operators/:id/keys', serve: serveCreateOperatorKey },
  { method: 'DELETE', path: '/operators/:id/keys/:hash', serve: serveRevokeOperatorKey },
  { method: 'GET', path: '/nodes', serve: serveNodes },
  { method: 'POST', path: '/nodes/tokens', serve: serveCreateJoinToken },
  { method: 'POST', path: '/nodes/join', serve: serveJoinNode },
  { method: 'GET', path: '/nodes/:id', serve: serveNode },
  { method: 'DELETE', path: '/nodes/:id', serve: serveLeaveNode },
  { method: 'POST', path: '/nodes/:id/drain', serve: serveDrainNode },
  { method: 'GET', path: '/providers', serve: serveProviders },
  { method: 'GET', path: '/generation', serve: serveGeneration },
  { method: 'GET', path: '/receipts', serve: serveReceipts },
  { method: 'GET', path: '/catalog', serve: serveCatalog },
  { method: 'GET', path: '/key', serve: serveKey },
  { method: 'GET', path: '/keys', serve: serveKeys },
  { method: 'POST', path: '/keys', serve: serveCreateKey },
  { method: 'GET', path: '/keys/:hash', serve: serveKeyByHash },
  { method: 'PATCH', path: '/keys/:hash', serve: serveChangeKey },
  { method: 'DELETE', path: '/keys/:hash', serve: serveDeleteKey },
  { method: 'GET', path: '/byok', serve: serveProviderKeys },
  { method: 'POST', path: '/byok', serve: serveCreateProviderKey },
  { method: 'GET', path: '/byok/:id', serve: serveProviderKey },
  { method: 'PATCH', path: '/byok/:id', serve: serveChangeProviderKey },
  { method: 'DELETE', path: '/byok/:id', serve: serveDeleteProviderKey },
  { method: 'POST', path: '/keys/:hash/rotate', serve: serveRotateKey },
  { method: 'GET', path: '/teams', serve: serveTeams },
  { method: 'GET', path: '/teams/:id', serve: serveTeam },
  { method: 'GET', path: '/usage', serve: serveUsage },
  { method: 'GET', path: '/receipts/:id', serve: serveReceipt },
  { method: 'GET', path: '/credits', serve: serveCredits },
  { method: 'POST', path: '/credits', serve: serveAddCredit },
  { method: 'GET', path: '/activity', serve: serveActivity },
  { method: 'GET', path: '/manifest', serve: serveManifest },
  { method: 'PUT', path: '/manifest', serve: serveApplyManifest },
  { method: 'GET', path: '/policies', serve: servePolicies },
  { method: 'GET', path: '/policies/:name', serve: servePolicy },
  { method: 'GET', path: '/audit', serve: serveAudit },
  { method: 'GET', path: '/prices/feeds', serve: servePriceFeeds },
  { method: 'POST', path: '/prices/feeds/:id/read', serve: serveReadPriceFeed },
  { method: 'GET', path: '/prices/held', serve: serveHeldPrices },
  { method: 'POST', path: '/prices/held/:endpoint{.+}', serve: serveDecidePrice },
  { method: 'GET', path: '/nodes/:id/link', serve: serveNodeLink },
] as const satisfies readonly Surface[];

/** Mounted at the root. */
export const ROOT_SURFACES = [
  { method: 'GET', path: '/healthz', serve: (_, c) => serveHealth(c) },
  { method: 'GET', path: '/openapi.json', serve: (_, c) => serveOpenapi(c) },
] as const satisfies readonly Surface[];

type NameOf<Row> = Row extends { method: infer Verb extends string; path: infer Path extends string } ? `${Verb} ${Path}` : never;

/** `GET /models/count` and so on. */
export type SurfaceName = NameOf<(typeof SURFACES)[number]>;
export type RootSurfaceName = NameOf<(typeof ROOT_SURFACES)[number]>;
