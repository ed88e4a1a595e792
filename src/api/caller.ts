/** Who asks a listing: anybody, or the holder of a key. */
import type { Context } from 'hono';
import type { Caller } from '#src/admission/admission';
import type { Hall } from '#src/serve';
import { bearerToken } from './bearer.ts';

/** The Workers runtime's way to keep work alive after the answer. */
export function waitUntilOf(c: Context): (work: Promise<unknown>) => void {
  return (work) => c.executionCtx.waitUntil(work);
}

/** Finds the caller. Throws GatewayError `invalid_api_key`. */
export function requireCaller(hall: Hall, c: Context): Promise<Caller> {
  return hall.authenticate(bearerToken(c.req.raw.headers), waitUntilOf(c));
}

/** Finds the caller if there is a key; null without one. A wrong key is refused, not ignored. */
export async function optionalCaller(hall: Hall, c: Context): Promise<Caller | null> {
  return bearerToken(c.req.raw.headers) === null ? null : requireCaller(hall, c);
}
