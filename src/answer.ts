/** The client's end of the hall: dispatches a passage and answers with what comes back, whole, as a stream or as bytes. */
import type { Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { ClientChat, ClientUnit, UnitOperation } from '#schema/skin';
import type { UnitBytes } from '#schema/unit';
import type { Ask } from '#src/dispatch/ask';
import type { DispatchResult, Reply } from '#src/dispatch/dispatch';
import { explainFailure } from '#src/dispatch/exhausted';
import { hideReasoning } from '#src/metering/hide-reasoning';
import { relayStream } from '#src/metering/relay';
import { relayBytes } from '#src/metering/relay-bytes';
import { NO_LINE, stopLine, type StopLine } from '#src/metering/stop-line';
import { addToTally } from '#src/metering/tally';
import type { StreamSource } from '#src/metering/transcript';
import { answerHeaders, isByok, labelsOf, ownLabels, type Passage } from '#src/passage';
import type { AnswerEnd, Settler } from '#src/settle';

/** A stream's headers go out after this long even when no upstream has answered yet (DESIGN §3). */
const HEADERS_AFTER_MS = 10_000;

export interface Answers {
  whole(passage: Passage, client: ClientChat): Promise<Response>;
  stream(passage: Passage, client: ClientChat): Promise<Response>;
  unit(passage: Passage, client: ClientUnit, operation: UnitOperation): Promise<Response>;
}

export interface AnswerPorts {
  settler: Settler;
  dispatch(passage: Passage, ask: Ask): Promise<DispatchResult>;
  now(): number;
}

/** Creates the ways to answer. All of them throw a GatewayError when no upstream answers before the first byte. */
export function createAnswers({ settler, dispatch, now }: AnswerPorts): Answers {
  async function whole(passage: Passage, client: ClientChat): Promise<Response> {
    const reply = await replyTo(passage, askOf(client));
    const { opened, offer } = reply;
    invariant(opened.kind === 'json', 'a whole request is answered whole');

    addToTally(passage.tally, opened.reply, now());
    if (client.hidesReasoning) opened.reply.choices.forEach(hideReasoning);
    const settlement = settler.settle(passage, reply, { state: 'completed' });
    return new Response(JSON.stringify(client.writeAnswer(labelsOf(passage, offer), opened.reply, settlement)), {
      headers: { ...answerHeaders(passage, offer, passage.trail.length), 'content-type': 'application/json' },
    });
  }

  async function unit(passage: Passage, { body, size, writeAnswer }: ClientUnit, operation: UnitOperation): Promise<Response> {
    const reply = await replyTo(passage, { kind: 'unit', operation, body });
    const { opened, offer } = reply;
    invariant(opened.kind === 'unit', 'a unit operation is answered by its codec');

    const said = opened.reply;
    const settle = (end: AnswerEnd) => settler.settleUnit(passage, reply, { size, said }, end);
    if (said.bytes !== null) return bytes(passage, reply, said.bytes, settle);
    const settlement = settle({ state: 'completed' });
    const headers = answerHeaders(passage, offer, passage.trail.length);
    const answer = writeAnswer(labelsOf(passage, offer), said, settlement);
    return typeof answer === 'string'
      ? new Response(answer, { headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } })
      : Response.json(answer, { headers });
  }

  /** Relays a binary answer; the request stays alive until its end has been settled. */
  function bytes(passage: Passage, { offer }: Reply, { contentType, stream }: UnitBytes, settle: (end: AnswerEnd) => unknown): Response {
    const ended = Promise.withResolvers<void>();
    passage.call.waitUntil(ended.promise);
    const body = relayBytes(stream, (end) => {
      ended.resolve();
      orAbandon(passage, () => settle(end));
    });
    return new Response(body, {
      headers: { ...answerHeaders(passage, offer, passage.trail.length + 1), 'content-type': contentType },
    });
  }

  /** Finds an upstream that answers. Throws GatewayError when none does. */
  async function replyTo(passage: Passage, ask: Ask): Promise<Reply> {
    const result = await dispatch(passage, ask);
    if ('error' in result) throw settler.settleFailure(passage, result.error);
    return result.reply;
  }

  async function stream(passage: Passage, client: ClientChat): Promise<Response> {
    const { call, tally } = passage;
    const dispatched = dispatch(passage, askOf(client));
    const inTime = await noLongerThan(HEADERS_AFTER_MS - (now() - call.arrivedAtMs), dispatched);
    if (inTime !== undefined && 'error' in inTime) throw settler.settleFailure(passage, inTime.error);

    const settled = Promise.withResolvers<void>();
    call.waitUntil(settled.promise);
    let reply = inTime?.reply ?? null;
    const opening = dispatched.then((result): StreamSource | { error: GatewayError } => {
      if ('error' in result) return result;
      reply = result.reply;
      const { offer, opened } = reply;
      invariant(opened.kind === 'stream', 'a stream is answered as a stream');
      return { stream: opened.stream, model: offer.modelId, provider: offer.providerName };
    });
    const body = relayStream({
      scribe: client.createScribe(ownLabels(passage)),
      tally,
      hidesReasoning: client.hidesReasoning,
      now,
      opening,
      stopLine: () => (reply === null ? NO_LINE : lineOf(passage, reply.offer)),
      toError: explainFailure,
      onEnd(end) {
        settled.resolve();
        return orAbandon(passage, () => {
          const resuming = reply?.resuming() ?? null;
          if (end.state === 'failed') settler.settleFailure(passage, end.error);
          else if (reply === null) call.waitUntil(settleAbandoned(passage, dispatched));
          else if (resuming === null) return settler.settle(passage, reply, end);
          else call.waitUntil(settleResuming(passage, reply, resuming));
          return null;
        });
      },
    });
    return new Response(body, {
      headers: {
        ...answerHeaders(passage, inTime?.reply.offer ?? null, passage.trail.length + 1),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      },
    });
  }

  /** Ends a request whose client left before any upstream had answered. */
  async function settleAbandoned(passage: Passage, dispatched: Promise<DispatchResult>): Promise<void> {
    passage.left?.abort();
    try {
      const result = await dispatched;
      if ('error' in result) return void settler.settleFailure(passage, result.error);
      if (result.reply.opened.kind === 'stream') result.reply.opened.stream.cancel();
      settler.settle(passage, result.reply, { state: 'cancelled' });
    } finally {
      settler.abandon(passage);
    }
  }

  /** Ends a request whose client left while its answer was being resumed: what that came to is part of the receipt. */
  async function settleResuming(passage: Passage, reply: Reply, resuming: Promise<void>): Promise<void> {
    if (reply.opened.kind === 'stream') reply.opened.stream.cancel();
    await resuming;
    orAbandon(passage, () => settler.settle(passage, reply, { state: 'cancelled' }));
  }

  /** Ends a request; should that break, its hold is given back all the same. */
  function orAbandon<Told>(passage: Passage, end: () => Told): Told {
    try {
      return end();
    } catch (failure) {
      settler.abandon(passage);
      throw failure;
    }
  }

  return { whole, stream, unit };
}

/** How far an endpoint may go with an answer, given what others have said of it. */
function lineOf(passage: Passage, offer: Offer): StopLine {
  const { hold, tally, admission } = passage;
  const { promptTokens } = admission.facts;
  const price = isByok(passage, offer) ? null : offer.price;
  return stopLine({ heldNanoUsd: hold.amountNanoUsd, price, promptTokens, before: tally.broken });
}

function askOf({ request, native }: ClientChat): Ask {
  return { kind: 'chat', request, native };
}

function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(why);
}

/** Waits for a promise, but no longer than `limitMs`; undefined when it takes longer. */
async function noLongerThan<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, limitMs));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
