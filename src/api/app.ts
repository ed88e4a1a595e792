/** The porch: every HTTP surface, mounted under `/v1` and `/api/v1` alike. The only room that knows Hono. */
import { Hono } from 'hono';
import { GatewayError } from '#schema/error';
import type { Hall } from '#src/serve';
import { messages } from '#src/skins/messages/messages';
import { mountConsole } from './console.ts';
import { allowAnyOrigin, respondPreflight } from './cors.ts';
import { mountDocs } from './docs.ts';
import { respondError } from './respond-error.ts';
import { ROOT_SURFACES, SURFACES } from './surfaces.ts';

/** Where the API is mounted, identically. */
export const MOUNTS = ['/v1', '/api/v1'];

/** Builds the app over a hall. */
export function createApp(hall: Hall): Hono {
  const app = new Hono();
  const surfaces = [...MOUNTS.flatMap((base) => SURFACES.map((surface) => ({ ...surface, path: base + surface.path }))), ...ROOT_SURFACES];
  const patterns = surfaces.map(({ method, path }) => ({ method, pattern: toPattern(path) }));

  // One handler a path: Hono calls a single handler directly, without composing middleware.
  for (const { method, path, serve } of surfaces) app.on(method, path, async (c) => allowAnyOrigin(await serve(hall, c)));
  for (const path of new Set(surfaces.map((surface) => surface.path))) {
    app.options(path, (c) => respondPreflight(c.req.header('access-control-request-headers') ?? null));
  }
  mountConsole(app);
  mountDocs(app);
  app.notFound((c) => {
    const methods = new Set(patterns.flatMap(({ method, pattern }) => (pattern.test(c.req.path) ? [method] : [])));
    const failure =
      methods.size > 0
        ? refuseMethod([...methods])
        : new GatewayError('not_found', 'There is nothing at this path; the API is under /v1, and /docs describes it.');
    const isMessages = MOUNTS.some((base) => c.req.path.startsWith(`${base}/messages`));
    return allowAnyOrigin(respondError(failure, hall.log, isMessages ? messages.writeError : undefined));
  });
  app.onError((failure) => allowAnyOrigin(respondError(failure, hall.log)));
  return app;
}

/** Turns a path into an expression; only our own paths come here. */
function toPattern(path: string): RegExp {
  const literal = path.replaceAll('.', '\\.').replaceAll(/:\w+\{\\\.\+\}/g, '.+');
  return new RegExp(`^${literal.replaceAll(/:\w+/g, '[^/]+')}$`);
}

function refuseMethod(methods: readonly string[]): GatewayError {
  const allow = [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'].join(', ');
  return new GatewayError('method_not_allowed', `This path takes ${methods.join(', ')} only.`, { headers: { allow } });
}
