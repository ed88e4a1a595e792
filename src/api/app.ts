/** The porch: every HTTP surface, mounted under `/v1` and `/api/v1` alike. The only room that knows Hono. */
import { Hono, type Context } from 'hono';
import { GatewayError } from '#schema/error';
import type { Hall } from '#src/serve';
import { waitUntilOf } from './caller.ts';
import { serveChat, serveExplain } from './chat.ts';
import { mountConsole } from './console.ts';
import { allowAnyOrigin, respondPreflight } from './cors.ts';
import { serveEndpoints } from './endpoints.ts';
import { serveGeneration } from './generation.ts';
import { serveHealth } from './health.ts';
import { serveKey } from './key.ts';
import { serveModel, serveModels, serveModelsCount } from './models.ts';
import { serveOpenapi } from './openapi.ts';
import { respondError } from './respond-error.ts';

type Serve = (hall: Hall, c: Context) => Response | Promise<Response>;

interface Surface {
  method: 'GET' | 'POST';
  path: string;
  serve: Serve;
}

/** A model's name in a path; it may hold slashes, encoded or not. */
const MODEL_NAME = ':name{.+}';

/** Surfaces of one version of the API, relative to where it is mounted. */
const SURFACES: readonly Surface[] = [
  { method: 'POST', path: '/chat/completions', serve: (hall, c) => serveChat(hall, c.req.raw, waitUntilOf(c)) },
  { method: 'POST', path: '/explain', serve: serveExplain },
  { method: 'GET', path: '/models', serve: serveModels },
  { method: 'GET', path: '/models/count', serve: serveModelsCount },
  { method: 'GET', path: `/models/${MODEL_NAME}`, serve: serveModelPath },
  { method: 'GET', path: '/generation', serve: serveGeneration },
  { method: 'GET', path: '/key', serve: serveKey },
];

/** Where the API is mounted, identically. */
export const MOUNTS = ['/v1', '/api/v1'];

const ROOT_SURFACES: readonly Surface[] = [
  { method: 'GET', path: '/healthz', serve: (_, c) => serveHealth(c) },
  { method: 'GET', path: '/openapi.json', serve: (_, c) => serveOpenapi(c) },
];

function serveModelPath(hall: Hall, c: Context): Promise<Response> {
  const path = c.req.param('name') ?? '';
  const suffix = '/endpoints';
  return path.endsWith(suffix) ? serveEndpoints(hall, c, path.slice(0, -suffix.length)) : serveModel(hall, c, path);
}

/** Turns a path into an expression; only our own paths come here. */
function toPattern(path: string): RegExp {
  const literals = path.split(MODEL_NAME).map((literal) => literal.replaceAll('.', '\\.'));
  return new RegExp(`^${literals.join('.+')}$`);
}

function refuseMethod(method: string): GatewayError {
  const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : `${method}, OPTIONS`;
  return new GatewayError('method_not_allowed', `This path takes ${method} only.`, { headers: { allow } });
}

/** Builds the app over a hall. */
export function createApp(hall: Hall): Hono {
  const app = new Hono();
  const surfaces = [...MOUNTS.flatMap((base) => SURFACES.map((surface) => ({ ...surface, path: base + surface.path }))), ...ROOT_SURFACES];
  const patterns = surfaces.map(({ method, path }) => ({ method, pattern: toPattern(path) }));

  // One handler a path: Hono calls a single handler directly, without composing middleware.
  for (const { method, path, serve } of surfaces) {
    app.on(method, path, async (c) => allowAnyOrigin(await serve(hall, c)));
    app.options(path, (c) => respondPreflight(c.req.header('access-control-request-headers') ?? null));
  }
  mountConsole(app);
  app.notFound((c) => {
    const known = patterns.find(({ pattern }) => pattern.test(c.req.path));
    const failure = known ? refuseMethod(known.method) : new GatewayError('not_found', 'There is nothing at this path.');
    return allowAnyOrigin(respondError(failure, hall.log));
  });
  app.onError((failure) => allowAnyOrigin(respondError(failure, hall.log)));
  return app;
}
