/** The reception of every endpoint, read top to bottom: let in, understand, admit, have it done, count how it ended. */
import { performance } from 'node:perf_hooks';
import { isRefusal } from './body.ts';
import type { Ending } from './endpoint.ts';
import type { Refusal } from './error-family.ts';
import { drawFaults } from './faults.ts';
import type { Exchange } from './http.ts';
import { answerFalsely, breakConnection, sendRefusal } from './sabotage.ts';
import type { Slot } from './slots.ts';
import type { Surface, Workload } from './surface.ts';

/** Serves one request on the given surface and counts how it ended. Never rejects for what a client does. */
export async function serveInference<Task extends Workload>(exchange: Exchange, surface: Surface<Task>): Promise<void> {
  const { endpoint } = exchange;
  endpoint.counters.requests += 1;
  const ending = await serve(exchange, surface);
  endpoint.counters[ending] += 1;
}

async function serve<Task extends Workload>(exchange: Exchange, surface: Surface<Task>): Promise<Ending> {
  const { endpoint, random } = exchange;
  const arrivedAtMs = performance.now();
  const faults = drawFaults(endpoint.faults, endpoint.habits ? endpoint.card.habits : [], random);
  if (await breakConnection(exchange, faults)) return 'faulted';

  const unknown = refuseStranger(exchange);
  if (unknown !== null) return refuse(exchange, unknown, 'rejected');
  const task = await surface.read(exchange);
  if (task === 'gone') return 'cancelled';
  if (isRefusal(task)) return refuse(exchange, task, 'rejected');
  const renderErrorFrame = (refusal: Refusal): string => surface.renderErrorFrame(exchange, refusal);
  if (await answerFalsely(exchange, faults, { ...task, renderErrorFrame })) return 'faulted';

  const slot = admit(exchange, task);
  if ('status' in slot) return refuse(exchange, slot, 'refused');
  // Freed by the event itself, not by the next turn of a loop that may be asleep.
  exchange.signal.addEventListener('abort', () => slot.release(), { once: true });
  try {
    return await surface.perform(exchange, { task, slot, faults, arrivedAtMs });
  } finally {
    slot.release();
  }
}

function refuse(exchange: Exchange, refusal: Refusal, ending: Ending): Ending {
  sendRefusal(exchange, refusal);
  return ending;
}

/** Says what is wrong with the key of a request, or null. Anthropic's dialect has it in `x-api-key`, the others as bearer. */
export function refuseStranger({ endpoint: { card }, request }: Exchange): Refusal | null {
  if (card.key === null) return null;
  const given =
    card.dialect === 'anthropic-messages' ? request.headers['x-api-key'] : request.headers.authorization?.replace(/^Bearer /i, '');
  return given === card.key ? null : { status: 401, message: 'Incorrect API key provided.', code: 'invalid_api_key' };
}

function admit({ endpoint, response }: Exchange, { sequences, tokens }: Workload): Slot | Refusal {
  const { card, rateWindow, slots, rejections } = endpoint;
  if (rateWindow !== null) {
    const nowMs = Date.now();
    const turn = rateWindow.take(tokens, nowMs);
    const headers = rateWindow.headers(card.dialect === 'anthropic-messages' ? 'anthropic' : 'openai', nowMs);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!turn.admitted) {
      return {
        status: 429,
        message: 'Rate limit reached for requests or tokens per minute.',
        code: 'rate_limit_exceeded',
        retryAfterS: turn.retryAfterS,
      };
    }
  }
  const slot = slots.admit({ sequences, tokens });
  if (typeof slot !== 'string') return slot;
  rejections.set(slot, (rejections.get(slot) ?? 0) + 1);
  return card.node === null
    ? { status: 429, message: 'Infrastructure is at maximum capacity, try again later.', code: 'at_capacity' }
    : { status: 503, message: `Server overloaded: too many queued ${slot}. Please retry later.`, code: 'overloaded' };
}
