/** From a path to the surface that answers it. `/<endpoint-id>/…` belongs to an endpoint, `/control` to the person at the switches. */
import { anthropicMessages } from './anthropic-messages.ts';
import { serveControl } from './control.ts';
import type { Endpoint } from './endpoint.ts';
import { sendJson, type Exchange } from './http.ts';
import { refuseStranger, serveInference } from './inference.ts';
import { renderMetrics } from './load.ts';
import { listModels } from './models.ts';
import { openaiChat } from './openai-chat.ts';
import { breakConnection, sendRefusal } from './sabotage.ts';

/** Gathers what is shared by all requests. */
export interface Place {
  endpoints: ReadonlyMap<string, Endpoint>;
  origin: string;
  startSpeed: number;
}

/** Answers one request, whatever it is. */
export async function serveRequest(place: Place, exchange: Omit<Exchange, 'endpoint'>): Promise<void> {
  const { request, response } = exchange;
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const [first = '', ...rest] = path.slice(1).split('/');
  if (first === '') {
    return sendJson(response, 200, {
      devnet: true,
      simulated: true,
      control: `${place.origin}/control`,
      endpoints: [...place.endpoints.keys()],
    });
  }
  if (first === 'control') return serveControl(place, rest[0], request, response);
  const endpoint = place.endpoints.get(first);
  if (endpoint === undefined) {
    return sendJson(response, 404, { error: { message: 'no such endpoint', allowed: [...place.endpoints.keys()] } });
  }
  response.setHeader('x-devnet-endpoint', endpoint.card.id);
  return serveEndpoint({ ...exchange, endpoint }, `${request.method} /${rest.join('/')}`);
}

async function serveEndpoint(exchange: Exchange, operation: string): Promise<void> {
  const { endpoint, response } = exchange;
  const { card } = endpoint;
  if (operation === 'POST /v1/chat/completions' && card.dialect === 'openai-chat') return serveInference(exchange, openaiChat);
  if (operation === 'POST /v1/messages' && card.dialect === 'anthropic-messages') return serveInference(exchange, anthropicMessages);
  if (await breakConnection(exchange, endpoint.faults)) return;
  if (operation === 'GET /v1/models') {
    const stranger = refuseStranger(exchange);
    return stranger === null ? sendJson(response, 200, listModels(card)) : sendRefusal(exchange, stranger);
  }
  if (operation.endsWith(' /redirected')) {
    endpoint.counters.redirectsFollowed += 1;
    return sendJson(response, 200, { devnet: { simulated: true, endpoint: card.id }, message: 'You followed a redirect.' });
  }
  if (card.node !== null) {
    switch (operation) {
      case 'GET /health':
      case 'GET /ping':
        return void response.writeHead(200).end();
      case 'GET /version':
        return sendJson(response, 200, { version: '0.32.0+devnet' });
      case 'GET /load':
        return sendJson(response, 200, { server_load: endpoint.slots.runningSequences() + endpoint.slots.waitingSequences() });
      case 'GET /metrics':
        return void response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(renderMetrics(endpoint));
    }
  }
  sendRefusal(exchange, { status: 404, message: 'Not Found', code: 'not_found' });
}
