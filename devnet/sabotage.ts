/** What the faults do that strike before an answer exists. Those inside an answer stand in `generation.ts` and `deliver.ts`. */
import { toErrorBody, type Refusal } from './error-family.ts';
import { isFailedByLength, type FaultName } from './faults.ts';
import { sendJson, type Exchange } from './http.ts';

const WEB_PAGE = '<!doctype html>\n<html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>\n';
const RETRY_AFTER_S = 2;
/** Thirty years, and a time that has passed. */
const ABUSIVE_RETRY_AFTER_S = [946_080_000, -1] as const;

const SERVER_ERROR: Refusal = {
  status: 500,
  message: 'The server had an error while processing the request. (simulated)',
  code: 'server_error',
};
const UNAVAILABLE: Refusal = { status: 503, message: 'The service is temporarily unavailable. (simulated)', code: 'service_unavailable' };
const LIMITED: Refusal = {
  status: 429,
  message: 'Rate limit reached, please try again later. (simulated)',
  code: 'rate_limit_exceeded',
  retryAfterS: RETRY_AFTER_S,
};

/** Answers with a refusal in the endpoint's own shape. */
export function sendRefusal(exchange: Exchange, refusal: Refusal): void {
  const headers: Record<string, string> = refusal.retryAfterS === undefined ? {} : { 'retry-after': String(refusal.retryAfterS) };
  // The body may not have been read to its end; what is left of it must not be taken for the next request.
  if (refusal.status === 413) headers['connection'] = 'close';
  sendJson(exchange.response, refusal.status, toErrorBody(exchange.endpoint.card.errorFamily, refusal), headers);
}

/** Breaks or holds the connection for `down` and `hang`. True when one of them struck. */
export async function breakConnection(exchange: Exchange, faults: ReadonlySet<FaultName>): Promise<boolean> {
  if (faults.has('down')) {
    exchange.request.socket.destroy();
    return true;
  }
  if (faults.has('hang')) {
    await exchange.scheduler.wait(Number.POSITIVE_INFINITY, exchange.signal);
    return true;
  }
  return false;
}

/** How an answer would have been given, which is how a false one is. */
interface Manner {
  streaming: boolean;
  promptTokens: number;
  renderErrorFrame(refusal: Refusal): string;
}

/** Gives the false answer of the first fault that replaces the true one. True when one struck. */
export async function answerFalsely(exchange: Exchange, faults: ReadonlySet<FaultName>, manner: Manner): Promise<boolean> {
  const { endpoint, response, scheduler, signal } = exchange;
  const streamHeaders = { 'content-type': manner.streaming ? 'text/event-stream' : 'application/json' };
  if (faults.has('redirect')) {
    response.writeHead(307, { location: `${exchange.origin}/${endpoint.card.id}/redirected` }).end();
  } else if (faults.has('error-500') || isFailedByLength(faults, manner.promptTokens)) {
    sendRefusal(exchange, SERVER_ERROR);
  } else if (faults.has('error-503')) {
    sendRefusal(exchange, UNAVAILABLE);
  } else if (faults.has('rate-limit')) {
    sendRefusal(exchange, LIMITED);
  } else if (faults.has('retry-after-abuse')) {
    sendRefusal(exchange, { ...LIMITED, retryAfterS: ABUSIVE_RETRY_AFTER_S[exchange.serial % 2] ?? 0 });
  } else if (faults.has('empty-200')) {
    response.writeHead(200, { ...streamHeaders, 'content-length': '0' }).end();
  } else if (faults.has('html-200')) {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(WEB_PAGE);
  } else if (faults.has('hang-after-headers')) {
    response.writeHead(200, streamHeaders).flushHeaders();
    await scheduler.wait(Number.POSITIVE_INFINITY, signal);
  } else if (faults.has('error-in-200')) {
    if (manner.streaming) response.writeHead(200, streamHeaders).end(manner.renderErrorFrame(SERVER_ERROR));
    else sendJson(response, 200, toErrorBody(endpoint.card.dialect === 'anthropic-messages' ? 'anthropic' : 'openai', SERVER_ERROR));
  } else {
    return false;
  }
  return true;
}
