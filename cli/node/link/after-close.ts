/** What to do when a link is gone: come again, or say why not. */
import { LINK_CLOSE } from '#schema/node-link';

/** How a connection ended. */
export interface LinkEnd {
  /** WebSocket close code; 1006 where nobody said one. */
  code: number;
  reason: string;
  /** The HTTP answer to a connection that was never made; null where there was none. */
  refusal: { status: number; retryAfterMs: number | null } | null;
}

export type NextStep = { again: true; reason: string; retryAfterMs: number | null } | { again: false; reason: string };

/** Statuses after which asking again changes nothing, and what they mean here. */
const FINAL_STATUS: Readonly<Record<number, string>> = {
  401: 'the router does not know this node’s key: join again with a token',
  403: 'the router refuses this node: join again with a token',
  404: 'the router does not know this node: join again with a token',
  410: 'the node has left: join again with a token',
};
const FINAL_CODE: Readonly<Record<number, string>> = {
  [LINK_CLOSE.refused]: 'the router refuses this node',
  [LINK_CLOSE.replaced]: 'another process has joined with this node’s identity',
  [LINK_CLOSE.gone]: 'the node has left or was removed: join again with a token',
};
/** A router that says "too often" without saying how long. */
const TOO_OFTEN_MS = 10_000;

/** Reads an ended connection. */
export function afterClose({ code, reason, refusal }: LinkEnd): NextStep {
  const final = refusal === null ? FINAL_CODE[code] : FINAL_STATUS[refusal.status];
  // Of one that was replaced, the router's reason is the same in other words.
  const isSaid = reason === '' || code === LINK_CLOSE.replaced;
  if (final !== undefined) return { again: false, reason: isSaid ? final : `${final} (${reason})` };
  if (refusal !== null) return { again: true, reason: `the router answered ${refusal.status}`, retryAfterMs: refusal.retryAfterMs };
  if (code === LINK_CLOSE.tooOften) return { again: true, reason: 'the router asks for a pause', retryAfterMs: TOO_OFTEN_MS };
  return { again: true, reason: reason === '' ? 'the connection was cut' : reason, retryAfterMs: null };
}
