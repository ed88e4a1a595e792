/** What a session needs of the engine behind the node, and the answers that the node gives in its place. */

/** A request as it goes to the engine. */
export interface EngineRequest {
  method: 'GET' | 'POST';
  /** One of `LINK_PATHS`. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | AsyncIterable<Uint8Array> | null;
  /** Length of a body that comes in pieces. */
  bodyBytes?: number;
}

/** What a node passes on of an answer; a `Response` has all of it. */
export interface EngineAnswer {
  status: number;
  headers: Pick<Headers, 'get'>;
  body: AsyncIterable<Uint8Array> | null;
}

/** Asks the engine. Resolves with its answer, or with one of ours where it does not answer; rejects only when aborted. */
export type AskEngine = (request: EngineRequest, signal: AbortSignal) => Promise<EngineAnswer>;

/** Why a node answers itself; the code stands in the error's body. */
export const REFUSALS = {
  path_not_served: { status: 404, message: 'this node does not serve that path' },
  node_draining: { status: 503, message: 'the node is draining' },
  node_full: { status: 503, message: 'the node is full' },
  engine_unreachable: { status: 503, message: 'the engine behind the node does not answer' },
  engine_redirects: { status: 502, message: 'the engine behind the node answered with a redirect' },
  engine_unreadable: { status: 502, message: 'the engine behind the node answered with a status that is none' },
} as const;
export type RefusalCode = keyof typeof REFUSALS;

/** Builds an answer that the node gives in the engine's place, in the shape of OpenAI's errors. */
export function refuse(code: RefusalCode): Response {
  const { status, message } = REFUSALS[code];
  const error = { message, type: status === 404 ? 'invalid_request_error' : 'unavailable_error', code };
  return Response.json({ error }, { status, headers: status === 503 ? { 'retry-after': '1' } : {} });
}
