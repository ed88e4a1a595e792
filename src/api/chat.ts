/** `POST /chat/completions` and `POST /explain`: the same body, served or only planned. */
import type { Context } from 'hono';
import type { ChatCall } from '#src/passage';
import type { Hall } from '#src/serve';
import { bearerToken } from './bearer.ts';
import { waitUntilOf } from './caller.ts';
import { ALLOW_ANY_ORIGIN } from './cors.ts';
import { toPlanBody } from './plan-body.ts';
import { readBody } from './read-body.ts';

async function toCall(hall: Hall, request: Request, waitUntil: ChatCall['waitUntil']): Promise<ChatCall> {
  const { headers } = request;
  const token = bearerToken(headers);
  const arrivedAtMs = hall.now();
  try {
    return {
      token,
      body: await readBody(request),
      headers,
      answerHeaders: ALLOW_ANY_ORIGIN,
      signal: request.signal,
      arrivedAtMs,
      waitUntil,
    };
  } catch (failure) {
    // A stranger learns that the key is wrong before anything about the body.
    await hall.authenticate(token, waitUntil);
    throw failure;
  }
}

/** Serves a chat completion, whole or as a stream. */
export async function serveChat(hall: Hall, request: Request, waitUntil: ChatCall['waitUntil']): Promise<Response> {
  return hall.serveChat(await toCall(hall, request, waitUntil));
}

/** Answers with the plan that the same request would follow now. */
export async function serveExplain(hall: Hall, c: Context): Promise<Response> {
  return c.json(toPlanBody(await hall.explain(await toCall(hall, c.req.raw, waitUntilOf(c)))));
}
