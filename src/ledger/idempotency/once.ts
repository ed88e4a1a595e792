/**
 * The isolate's side of `Idempotency-Key`: a request runs once, and its repeats get what was kept of it.
 * Knows the Account and the ledger only through ports.
 */
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import { within } from '#schema/within';
import { collect, type Collected } from './collect.ts';
import { IDEMPOTENCY_PARAM, readIdempotencyKey } from './idempotency-key.ts';
import { packAnswer, unpackAnswer } from './kept-answer.ts';
import { keepRenewing } from './renewal.ts';
import { requestDigest, type DigestedRequest } from './request-digest.ts';
import { seal, ticketSecrets, unseal, type TicketSecrets } from './seal.ts';
import { SoleRun } from './sole-run.ts';
import { wasSpent } from './spent.ts';
import { ANSWER_BYTES_MAX, CALL_LIMIT_MS } from './terms.ts';
import type { TicketAnswer, TicketPort, TicketRef } from './ticket-port.ts';

/** How long the end of a run waits for its receipt, which is written a moment after a client was left alone with half an answer. */
const SETTLED_LIMIT_MS = 10_000;
/** Pauses between tries to say how a run ended. */
const END_AGAIN_AFTER_MS = [500, 2000, 8000];

/** A request under an `Idempotency-Key`, from a caller who is known. */
export interface OnceRequest extends DigestedRequest {
  teamId: string;
  /** Id of the calling key. */
  keyId: string;
  token: string;
  /** The generation to run, if it is to run. */
  generationId: string;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
  answerHeaders: Readonly<Record<string, string>>;
  waitUntil(promise: Promise<unknown>): void;
}

export interface OncePorts {
  /** The team's Account object, asked anew for every call. */
  account(teamId: string): TicketPort;
  /** Finds a receipt wherever it is; `Ledger.find`. */
  find(teamId: string, generationId: string): Promise<Receipt | null>;
  now(): number;
  timers?: Timers;
}

export interface Once {
  /**
   * Runs a request, or answers with what an earlier one got. Throws what the run throws, and GatewayError `conflict` where the key is in use,
   * belongs to another request, or has an answer that was not kept; `ledger_unavailable` where nobody can tell; `invalid_request` for a bad key.
   */
  serve(request: OnceRequest, start: (run: SoleRun) => Promise<Response>): Promise<Response>;
}

/** Creates the isolate's side. */
export function createOnce({ account, find, now, timers = RUNTIME_TIMERS }: OncePorts): Once {
  async function serve(request: OnceRequest, start: (run: SoleRun) => Promise<Response>): Promise<Response> {
    const secrets = secretsOf(request);
    const answer = await askForTicket(request, secrets);
    switch (answer.state) {
      case 'taken':
        return runOnce(request, secrets, start);
      case 'kept': {
        const packed = await unseal(answer.sealed, secrets, answer.generationId);
        if (packed === null) throw notKept(answer.generationId);
        return unpackAnswer(packed, request.answerHeaders);
      }
      case 'unkept':
        throw notKept(answer.generationId);
      case 'lapsed':
      case 'running':
        throw conflict('A request with this Idempotency-Key is still running. Repeat it in a moment to get its answer.', {
          retryAfterS: 1,
        });
      case 'other_request':
        throw conflict(
          'This Idempotency-Key was used for a different request, or before this key was rotated. Use a new one for a new request.',
          FINAL,
        );
      case 'full':
        throw new GatewayError('limit_exceeded', 'Too many requests of this team are running under an Idempotency-Key.', {
          retryAfterS: 1,
        });
      default:
        return answer satisfies never;
    }
  }

  /** Asks the Account; where a holder has gone silent, the ledger decides whether the request may run again. */
  async function askForTicket(request: OnceRequest, { id, fingerprint }: TicketSecrets): Promise<TicketAnswer> {
    const { teamId, generationId, waitUntil } = request;
    const ask = async (instead: string | null): Promise<TicketAnswer> => {
      try {
        return await within(account(teamId).takeTicket({ id, generationId, fingerprint, instead }), CALL_LIMIT_MS, timers);
      } catch (cause) {
        // It may have been taken all the same, and nobody would run under it.
        waitUntil(end(teamId, (port) => port.returnTicket({ id, generationId })));
        throw unavailable(cause);
      }
    };
    const answer = await ask(null);
    if (answer.state !== 'lapsed') return answer;
    const lapsed = answer.generationId;
    const receipt = await find(teamId, lapsed).catch((cause: unknown) => Promise.reject(unavailable(cause)));
    if (receipt === null || !wasSpent(receipt)) return ask(lapsed);
    waitUntil(end(teamId, (port) => port.keepAnswer({ id, generationId: lapsed }, null)));
    return { state: 'unkept', generationId: lapsed };
  }

  async function runOnce(request: OnceRequest, secrets: TicketSecrets, start: (run: SoleRun) => Promise<Response>): Promise<Response> {
    const { teamId, generationId, signal, waitUntil } = request;
    const ticket: TicketRef = { id: secrets.id, generationId };
    const run = new SoleRun(generationId);
    if (signal.aborted) run.leave();
    else signal.addEventListener('abort', () => run.leave(), { once: true });
    const renewal = keepRenewing({ renew: () => account(teamId).renewTicket(ticket), lose: () => run.stop(), now, timers });
    const ended = Promise.withResolvers<void>();
    waitUntil(ended.promise);

    /** Tells the Account how the run ended. The client waits for the first try only. */
    async function finish(headers: Headers | null, collected: Collected): Promise<void> {
      const told = tell(headers, collected).finally(() => {
        renewal.stop();
        ended.resolve();
      });
      await within(told, CALL_LIMIT_MS, timers).catch(() => undefined);
    }

    async function tell(headers: Headers | null, collected: Collected): Promise<void> {
      if (!run.isSpent) return end(teamId, (port) => port.returnTicket(ticket));
      const packed = headers !== null && collected !== null && run.keeps ? packAnswer(headers, collected) : null;
      const sealed = packed === null || packed.byteLength > ANSWER_BYTES_MAX ? null : await seal(packed, secrets, generationId);
      return end(teamId, (port) => port.keepAnswer(ticket, sealed));
    }

    let response: Response;
    try {
      response = await start(run);
    } catch (failure) {
      await finish(null, null);
      throw failure;
    }
    const { body, headers, status } = response;
    if (run.isSettled || body === null) {
      const bytes = new Uint8Array(await response.arrayBuffer());
      await finish(headers, bytes);
      return new Response(bytes, { status, headers });
    }
    const collecting = collect(body, {
      run,
      bytesMax: ANSWER_BYTES_MAX,
      async onComplete(collected) {
        // Without a receipt nobody can say whether it may run again: the ticket is left to lapse, and the ledger to be asked.
        const isSettled = await within(run.settled, SETTLED_LIMIT_MS, timers).then(
          () => true,
          () => false,
        );
        if (isSettled) return finish(headers, collected);
        renewal.stop();
        ended.resolve();
      },
    });
    return new Response(collecting, { status, headers });
  }

  /** Makes a call that ends a ticket, more than once where it fails; all of them are harmless when repeated. */
  async function end(teamId: string, call: (port: TicketPort) => Promise<void>): Promise<void> {
    for (const delayMs of [...END_AGAIN_AFTER_MS, null]) {
      try {
        return await within(call(account(teamId)), CALL_LIMIT_MS, timers);
      } catch {
        if (delayMs === null) return;
        await new Promise<void>((resolve) => void timers.set(resolve, delayMs));
      }
    }
  }

  return { serve };
}

function secretsOf({ keyId, token, ...request }: OnceRequest): TicketSecrets {
  const idempotencyKey = readIdempotencyKey(request.headers);
  return ticketSecrets({ keyId, token, idempotencyKey, requestDigest: requestDigest(request) });
}

/** Tells official SDKs, which repeat every 409, that repeating will not help. */
const FINAL = { headers: { 'x-should-retry': 'false' } };

function conflict(message: string, details: ConstructorParameters<typeof GatewayError>[2]): GatewayError {
  return new GatewayError('conflict', message, { param: IDEMPOTENCY_PARAM, ...details });
}

function notKept(generationId: string): GatewayError {
  return conflict(
    'This request was answered before and its answer was not kept. It is not run and not charged again; its receipt is at GET /v1/generation.',
    { metadata: { generation_id: generationId }, headers: { ...FINAL.headers, 'x-generation-id': generationId } },
  );
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError(
    'ledger_unavailable',
    'The ledger does not answer at the moment, so the request was not run. Try again shortly.',
    {
      retryAfterS: 2,
      cause,
    },
  );
}
