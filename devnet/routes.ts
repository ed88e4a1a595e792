/** From a path to the surface that answers it. `/<endpoint-id>/…` belongs to an endpoint, `/control` to the person at the switches. */
import { anthropicMessages } from './anthropic-messages.ts';
import { serveControl } from './control.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointCard, ModelCard } from './card.ts';
import { sendJson, type Exchange } from './http.ts';
import { textSurface } from './generation.ts';
import { refuseStranger, serveInference } from './inference.ts';
import { renderMetrics } from './load.ts';
import { listModels } from './models.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiCompletions } from './openai-completions.ts';
import { breakConnection, sendRefusal } from './sabotage.ts';
import type { Surface, Workload } from './surface.ts';
import { countTokens } from './units/count-tokens.ts';
import { embeddings } from './units/embeddings.ts';
import { images } from './units/images.ts';
import { rerank } from './units/rerank.ts';
import { speech } from './units/speech.ts';
import { transcriptions } from './units/transcriptions.ts';
import { unitSurface } from './units/unit-surface.ts';

/** Gathers what is shared by all requests. */
export interface Place {
  endpoints: ReadonlyMap<string, Endpoint>;
  origin: string;
  startSpeed: number;
}

/** Which endpoints have a path, and what they do there. */
interface Route {
  isAt(card: EndpointCard): boolean;
  serve(exchange: Exchange): Promise<void>;
}

function route<Task extends Workload>(isAt: Route['isAt'], surface: Surface<Task>): Route {
  return { isAt, serve: (exchange) => serveInference(exchange, surface) };
}

const isAnthropic: Route['isAt'] = (card) => card.dialect === 'anthropic-messages';
const takesRawPrompts: Route['isAt'] = (card) => card.capabilities.includes('completion');
const isOpenai =
  (operation: ModelCard['operation']): Route['isAt'] =>
  (card) =>
    card.dialect === 'openai-chat' && card.models.some((model) => model.operation === operation);

const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/chat/completions': route(isOpenai('chat'), textSurface(openaiChat)),
  'POST /v1/completions': route(takesRawPrompts, textSurface(openaiCompletions)),
  'POST /v1/embeddings': route(isOpenai('embeddings'), unitSurface(embeddings)),
  'POST /v1/rerank': route(isOpenai('rerank'), unitSurface(rerank)),
  'POST /v1/images/generations': route(isOpenai('images'), unitSurface(images)),
  'POST /v1/audio/speech': route(isOpenai('speech'), unitSurface(speech)),
  'POST /v1/audio/transcriptions': route(isOpenai('transcription'), unitSurface(transcriptions, 'form')),
  'POST /v1/messages': route(isAnthropic, textSurface(anthropicMessages)),
  'POST /v1/messages/count_tokens': route(isAnthropic, unitSurface(countTokens)),
};

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
  const found = ROUTES[operation];
  if (found?.isAt(card)) return found.serve(exchange);
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
