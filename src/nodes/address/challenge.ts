/** Proof that an endpoint is its operator's: a text that only who runs the server can put there. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readAtMost } from '#schema/read-at-most';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import { within } from '#schema/within';

const CHALLENGE_BYTES = 24;
const TIMEOUT_MS = 5_000;
const BODY_BYTES_MAX = 1_024;

/** Whether the text was there; `reason` is one clause fit for people, without an address. */
export type Proof = { ok: true } | { ok: false; reason: string };

/** Makes a challenge: 192 random bits in base64url. */
export function createChallenge(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES))).toString('base64url');
}

/** Where the endpoint must serve a challenge: at its origin, wherever its API begins. */
export function challengeUrl(url: string, challenge: string): string {
  return `${new URL(url).origin}/.well-known/headrace/${challenge}`;
}

/** Asks the endpoint for its challenge. Follows no redirects (S7), reads no more than a line, waits five seconds. Never rejects. */
export async function checkChallenge(
  { url, challenge }: { url: string; challenge: string },
  { fetch, timers = RUNTIME_TIMERS }: { fetch: typeof globalThis.fetch; timers?: Timers },
): Promise<Proof> {
  try {
    return await within(ask(url, challenge, fetch), TIMEOUT_MS, timers);
  } catch {
    return { ok: false, reason: 'its host did not answer' };
  }
}

async function ask(url: string, challenge: string, fetch: typeof globalThis.fetch): Promise<Proof> {
  const response = await fetch(challengeUrl(url, challenge), {
    headers: { accept: 'text/plain' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await readAtMost(response, BODY_BYTES_MAX);
  if (response.status >= 300 && response.status < 400) return { ok: false, reason: 'its host redirects, and redirects are not followed' };
  if (response.status !== 200) return { ok: false, reason: `its host answered ${response.status} where the challenge should be` };
  return body !== null && isSame(body.trim(), challenge) ? { ok: true } : { ok: false, reason: 'its host serves something else' };
}

/** Compares digests, so that neither length nor content shows in the time that it takes. */
function isSame(one: string, other: string): boolean {
  const digestOf = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digestOf(one), digestOf(other));
}
