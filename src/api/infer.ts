/** Inference surfaces: a body comes in, a skin and the hall do the rest, and every error leaves in the surface's own shape. */
import type { Skin, UnitSkin } from '#schema/skin';
import type { Call } from '#src/passage';
import type { Hall } from '#src/serve';
import { bearerToken } from './bearer.ts';
import { ALLOW_ANY_ORIGIN, allowAnyOrigin } from './cors.ts';
import { readBody } from './read-body.ts';
import { respondError } from './respond-error.ts';

/** One HTTP request at an inference surface. */
export interface Arrival {
  request: Request;
  waitUntil: Call['waitUntil'];
}

type ReadBody = (request: Request) => Promise<unknown>;

/** Reads what comes in at an inference surface. Throws GatewayError, `invalid_api_key` before anything about the body. */
export async function toCall(hall: Hall, { request, waitUntil }: Arrival, read: ReadBody): Promise<Call> {
  const { headers } = request;
  const token = bearerToken(headers);
  hall.stand(() => request.cf?.['continent']);
  const arrivedAtMs = hall.now();
  try {
    return {
      token,
      body: await read(request),
      url: request.url,
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

/** Serves a conversation through a skin, whole or as a stream. */
export async function serveSkin(hall: Hall, skin: Skin, arrival: Arrival): Promise<Response> {
  try {
    return await hall.serve(await toCall(hall, arrival, readBody), skin);
  } catch (failure) {
    return allowAnyOrigin(respondError(failure, hall.log, skin.writeError));
  }
}

/** Serves an operation that is answered whole. `read` takes the body apart where it may be a form. */
export async function serveUnit(hall: Hall, skin: UnitSkin, arrival: Arrival, read: ReadBody = readBody): Promise<Response> {
  try {
    return await hall.serveUnit(await toCall(hall, arrival, read), skin);
  } catch (failure) {
    return allowAnyOrigin(respondError(failure, hall.log, skin.writeError));
  }
}
