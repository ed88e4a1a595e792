/** The Worker's fetch handler: the app, with a short way in for the one surface whose every microsecond counts. */
import type { Hall } from '#src/serve';
import { createApp, MOUNTS } from './app.ts';
import { serveChat } from './chat.ts';
import { allowAnyOrigin } from './cors.ts';
import { respondError } from './respond-error.ts';

const CHAT_PATHS: ReadonlySet<string> = new Set(MOUNTS.map((base) => `${base}/chat/completions`));

export interface Porch {
  fetch(request: Request, env: unknown, execution: ExecutionContext): Response | Promise<Response>;
}

/** Opens the porch over a hall. Chat completions skip the router, which costs as much as planning the request. */
export function createPorch(hall: Hall): Porch {
  const app = createApp(hall);

  async function answerChat(request: Request, execution: ExecutionContext): Promise<Response> {
    try {
      return await serveChat(hall, request, (work) => execution.waitUntil(work));
    } catch (failure) {
      return allowAnyOrigin(respondError(failure, hall.log));
    }
  }

  return {
    fetch: (request, env, execution) =>
      request.method === 'POST' && CHAT_PATHS.has(pathOf(request.url))
        ? answerChat(request, execution)
        : app.fetch(request, env as object, execution),
  };
}

/** Cuts the path out of an absolute URL; a query stays on it and takes the long way. */
function pathOf(url: string): string {
  return url.slice(url.indexOf('/', url.indexOf('//') + 2));
}
