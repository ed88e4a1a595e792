/** The Worker's fetch handler: the app, with a short way in for the one surface whose every microsecond counts. */
import type { Hall } from '#src/serve';
import { chat } from '#src/skins/chat/chat';
import { createApp, MOUNTS } from './app.ts';
import { serveSkin } from './infer.ts';

const CHAT_PATHS: ReadonlySet<string> = new Set(MOUNTS.map((base) => `${base}/chat/completions`));

export interface Porch {
  fetch(request: Request, env: unknown, execution: ExecutionContext): Response | Promise<Response>;
}

/** Opens the porch over a hall. Chat completions skip the router, which costs as much as planning the request. */
export function createPorch(hall: Hall): Porch {
  const app = createApp(hall);

  return {
    fetch: (request, env, execution) =>
      request.method === 'POST' && CHAT_PATHS.has(pathOf(request.url))
        ? serveSkin(hall, chat, { request, waitUntil: (work) => execution.waitUntil(work) })
        : app.fetch(request, env as object, execution),
  };
}

/** Cuts the path out of an absolute URL; a query stays on it and takes the long way. */
function pathOf(url: string): string {
  return url.slice(url.indexOf('/', url.indexOf('//') + 2));
}
