/** `GET /nodes/{id}/link`: where a node opens its WebSocket. Who it is, it proves on the link itself. */
import type { Context } from 'hono';
import { GatewayError } from '#schema/error';
import { nodeId } from '#schema/node';
import type { Hall } from '#src/serve';

const RETRY_AFTER_S = 2;

/** Passes an upgrade on to the node's link. Throws GatewayError: `upgrade_required`, `not_found`, `limit_exceeded` for storms, `no_endpoint_available`. */
export async function serveNodeLink(hall: Hall, c: Context): Promise<Response> {
  const request = c.req.raw;
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
    throw new GatewayError('upgrade_required', 'This path is a WebSocket: nodes open it (`headrace node join`).');
  const id = nodeId.safeParse(c.req.param('id'));
  const response = id.success ? await hall.node(id.data).fetch(request) : null;
  if (response !== null && response.webSocket !== null) return new Response(null, { status: 101, webSocket: response.webSocket });
  throw refusalOf(response?.status ?? 404, response?.headers ?? new Headers());
}

function refusalOf(status: number, headers: Headers): GatewayError {
  const retryAfterS = Number(headers.get('retry-after') ?? RETRY_AFTER_S);
  if (status === 404) return new GatewayError('not_found', 'There is no node of this name. Join it first.');
  if (status === 429) return new GatewayError('limit_exceeded', 'This node connects too often.', { retryAfterS });
  return new GatewayError('no_endpoint_available', 'The node cannot be looked up right now. Try again shortly.', { retryAfterS });
}
