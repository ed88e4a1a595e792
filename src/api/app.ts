/** The porch: every HTTP surface, mounted under `/v1` and `/api/v1` alike. The only room that knows Hono. */
import { Hono, type Context } from 'hono';
import { GatewayError } from '#schema/error';
import type { Hall } from '#src/serve';
import { serveChat, serveExplain } from './chat.ts';
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

/** Surfaces of one version of the API, relative to where it is mounted. Model names may hold slashes, encoded or not. */
const SURFACES: readonly Surface[] = [
  { method: 'POST', path: '/chat/completions', serve: serveChat },
  { method: 'POST', path: '/explain', serve: serveExplain },
  { method: 'GET', path: '/models', serve: serveModels },
  { method: 'GET', path: '/models/count', serve: serveModelsCount },
  { method: 'GET', path: '/models/:name{.+}', serve: serveModelPath },
  { method: 'GET', path: '/generation', serve: serveGeneration },
  { method: 'GET', path: '/key', serve: serveKey },
];

const MOUNTS = ['/v1', '/api/v1'];

function serveModelPath(hall: Hall, c: Context): Promise<Response> {
  const path = c.req.param('name') ?? '';
  const suffix = '/endpoints';
  return path.endsWith(suffix) ? serveEndpoints(hall, c, path.slice(0, -suffix.length)) : serveModel(hall, c, path);
}

function refuseMethod(method: string): never {
  const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : `${method}, OPTIONS`;
  throw new GatewayError('method_not_allowed', `This path takes ${method} only.`, { headers: { allow } });
}

/** Builds the app over a hall. Its `fetch` is the Worker's. */
export function createApp(hall: Hall): Hono {
  const app = new Hono();

  function mount(path: string, { method, serve }: Omit<Surface, 'path'>): void {
    app.on(method, path, (c) => serve(hall, c));
    app.options(path, (c) => respondPreflight(c.req.header('access-control-request-headers') ?? null));
    app.all(path, () => refuseMethod(method));
  }

  app.use(async (c, next) => {
    await next();
    allowAnyOrigin(c.res);
  });
  for (const base of MOUNTS) for (const surface of SURFACES) mount(`${base}${surface.path}`, surface);
  mount('/healthz', { method: 'GET', serve: (_, c) => serveHealth(c) });
  mount('/openapi.json', { method: 'GET', serve: (_, c) => serveOpenapi(c) });

  app.notFound(() => allowAnyOrigin(respondError(new GatewayError('not_found', 'There is nothing at this path.'), hall.log)));
  app.onError((failure) => allowAnyOrigin(respondError(failure, hall.log)));
  return app;
}
