/** One upstream call up to the point of no return: the whole JSON answer, or the first real event of a stream. */
import type { DialectTarget, EncodedRequest } from '#providers/provider';
import { decodeHttpError } from '#providers/wire/decode-error';
import { readNodeLoad } from '#providers/wire/node-load';
import { unitCodecOf } from '#providers/wire/units/units';
import type { AttemptFailure } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { NodeLoad } from '#schema/node-service';
import { speak, type Ask } from './ask.ts';
import { readCapped } from './read-capped.ts';
import { contentTypeOf, openStream, readUnit, readWhole, type AttemptResult } from './read-answer.ts';
import type { Watchdog } from './watchdog.ts';

const ERROR_BYTES_MAX = 64 * 1024;
/** One tenant's odd request must not open a breaker for the others (R9). */
const UNSAYABLE: AttemptFailure = {
  kind: 'rejected',
  origin: 'local',
  detail: 'the request cannot be put into words that an endpoint takes',
};

export interface AttemptOrder {
  ask: Ask;
  offer: Offer;
  target: DialectTarget;
  watchdog: Watchdog;
  /** `load`: what the node said of itself at the head of its answer, good or bad; null where it said nothing. */
  onHeaders(status: number, load: NodeLoad | null): void;
}

/** How one attempt is said and how a good answer to it is read. */
interface Errand {
  target: DialectTarget;
  encoded: EncodedRequest<string | FormData>;
  read(response: Response): Promise<AttemptResult>;
}

/** Calls one upstream up to its commit; a port, so that a simulation can stand in for the network. */
export type CallUpstream = (order: AttemptOrder) => Promise<AttemptResult>;

/** Calls the upstream once. Every way of failing comes back as a value; the connection is released on failure. */
export async function attempt(order: AttemptOrder, ports: { fetch: typeof fetch; now(): number }): Promise<AttemptResult> {
  const { watchdog } = order;
  const errand = prepare(order);
  if (errand === null) return { failure: UNSAYABLE };
  let response: Response;
  try {
    response = await ports.fetch(errand.encoded.url, {
      method: 'POST',
      headers: errand.encoded.headers,
      body: errand.encoded.body,
      redirect: 'manual',
      signal: watchdog.signal,
    });
  } catch {
    return { failure: watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'no connection to the endpoint' } };
  }
  order.onHeaders(response.status, readNodeLoad(response.headers));

  try {
    if (response.status >= 300 && response.status < 400)
      return await refuse(response, { kind: 'redirect', detail: 'redirects are not followed' });
    if (!response.ok) {
      const text = await readErrorText(response, watchdog);
      return { failure: decodeHttpError(response.status, response.headers, text, errand.target, ports.now()) };
    }
    if (contentTypeOf(response).includes('text/html'))
      return await refuse(response, { kind: 'protocol', detail: 'HTML where an answer was expected' });
    return await errand.read(response);
  } catch {
    return {
      failure: watchdog.verdict() ?? { kind: 'connect', origin: 'local', detail: 'the connection broke before the answer was whole' },
    };
  }
}

/** Puts the request into the endpoint's words; null where that fails, which is the request's doing. */
function prepare(order: AttemptOrder): Errand | null {
  try {
    return toErrand(order);
  } catch {
    return null;
  }
}

function toErrand({ ask, offer, target, watchdog }: AttemptOrder): Errand {
  if (ask.kind === 'unit') {
    const codec = unitCodecOf(ask.operation);
    const asked = { ...target, request: ask.body };
    return {
      target: asked,
      encoded: codec.encodeRequest(ask.body, asked),
      read: (response) => readUnit(response, { codec, target: asked, asked: ask.body }, watchdog),
    };
  }
  const spoken = speak(ask, offer, target);
  const streams = ask.request.stream === true;
  return {
    target: spoken.target,
    encoded: spoken.dialect.encodeRequest(ask.request, spoken.target),
    read: (response) =>
      streams && !contentTypeOf(response).includes('application/json')
        ? openStream(response, spoken, watchdog)
        : readWhole(response, spoken, streams),
  };
}

/** Reads what an error answer says. The status classes it even when its body breaks off or is too large. */
async function readErrorText(response: Response, watchdog: Watchdog): Promise<string> {
  try {
    const body = await readCapped(response, ERROR_BYTES_MAX);
    return body.kind === 'text' ? body.text : '';
  } catch (error) {
    if (watchdog.verdict() !== null) throw error;
    return '';
  }
}

async function refuse(response: Response, failure: Pick<AttemptFailure, 'kind' | 'detail'>): Promise<AttemptResult> {
  await response.body?.cancel().catch(() => undefined);
  return { failure: { ...failure, origin: 'external', status: response.status } };
}
