/** How requests end: what was used is counted, charged, written down and told to the client. */
import type { GatewayError } from '#schema/error';
import { costNanoUsd, type Price } from '#schema/money';
import { NOTHING_USED, type PlanRecord, type Usage } from '#schema/receipt';
import type { Settlement, UnitSize } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import type { Reply } from '#src/dispatch/dispatch';
import { explainFailure } from '#src/dispatch/exhausted';
import { draftReceipt, type RequestEnd } from '#src/ledger/draft-receipt';
import type { Ledger } from '#src/ledger/ledger';
import type { StreamEnd } from '#src/metering/relay';
import { toRouterMetadata } from '#src/metering/router-metadata';
import { settleUnits } from '#src/metering/settle-units';
import { settleUsage } from '#src/metering/settle-usage';
import { answerHeaders, wantsMetadata, type Passage } from '#src/passage';

/** How an answer ended, for the one who settles it. */
export type AnswerEnd = Exclude<StreamEnd, { state: 'failed' }>;

export interface Settler {
  /** Ends a conversation that an upstream answered: books the attempt, writes the receipt, returns what the client is told of it. */
  settle(passage: Passage, reply: Reply, end: AnswerEnd): Settlement;
  /** Ends a unit operation that an upstream answered. */
  settleUnit(passage: Passage, reply: Reply, unit: { size: UnitSize; said: UnitReply }, end: AnswerEnd): Settlement;
  /** Ends a request that no upstream answered; the customer pays nothing. Returns the error with the request's labels on it. */
  settleFailure(passage: Passage, error: GatewayError): GatewayError;
}

/** A whole answer arrives at once: it has no first token and no pace. */
const UNTIMED = { firstTokenAtMs: null, lastTokenAtMs: null };

/** Creates the settler of one isolate. */
export function createSettler({ ledger, now }: { ledger: Ledger; now(): number }): Settler {
  function end(passage: Passage, { offer, finish }: Reply, usage: Usage, how: AnswerEnd): Settlement {
    const { tally, admission, hold, trail } = passage;
    const failure = how.state === 'interrupted' ? how.failure : null;
    const { firstTokenAtMs, lastTokenAtMs } = admission.facts.stream ? tally : UNTIMED;
    finish({ outcome: how.state, failure, usage, firstTokenAtMs, lastTokenAtMs });
    // The answer says what the ledger will capture, and that is never more than was held.
    const chargedNanoUsd = Math.min(hold.amountNanoUsd, trail.at(-1)?.costNanoUsd ?? 0);
    const errorCode = failure && explainFailure(failure).code;
    const record = writeReceipt(passage, { state: how.state, offer, usage, chargedNanoUsd, errorCode });
    return {
      usage,
      chargedNanoUsd,
      promptNanoUsd: Math.min(promptCostNanoUsd(offer.price, usage), chargedNanoUsd),
      endedAtS: Math.floor(now() / 1000),
      routerMetadata: metadataOf(passage, record),
    };
  }

  function metadataOf(passage: Passage, record: PlanRecord): object | null {
    const { admission, trail, dispatchedAtMs } = passage;
    return wantsMetadata(passage) ? toRouterMetadata(admission.request.model, record, trail, now() - dispatchedAtMs) : null;
  }

  function writeReceipt(passage: Passage, how: RequestEnd): PlanRecord {
    const { id, api, call, admission, hold, trail, tally, dispatchedAtMs } = passage;
    const plan = passage.plan.record();
    const times = { arrivedAtMs: call.arrivedAtMs, dispatchedAtMs, endedAtMs: now() };
    const durable = ledger.settle(hold, draftReceipt({ id, api, admission, hold, trail, tally, plan, times }, how));
    // One request of a batch stays to store it; keeping all of them alive would cost more than storing does.
    if (hold.leads) call.waitUntil(durable);
    return plan;
  }

  return {
    settle(passage, reply, how) {
      const { facts } = passage.admission;
      return end(passage, reply, settleUsage(passage.tally, facts.promptTokens, reply.offer.supply, how.state === 'completed'), how);
    },
    settleUnit(passage, reply, { size, said }, how) {
      // What broke off in the middle is of no use: a picture, a sound or a list has no first half.
      const usage = how.state === 'interrupted' ? NOTHING_USED : settleUnits(said, size, reply.offer.supply);
      return end(passage, reply, usage, how);
    },
    settleFailure(passage, error) {
      const state = passage.trail.at(-1)?.outcome === 'cancelled' ? 'cancelled' : 'failed';
      const record = writeReceipt(passage, { state, offer: null, usage: null, chargedNanoUsd: 0, errorCode: error.code });
      const routerMetadata = metadataOf(passage, record);
      return error.withRequest({ headers: answerHeaders(passage, null, passage.trail.length), ...(routerMetadata && { routerMetadata }) });
    },
  };
}

function promptCostNanoUsd(price: Price | null, usage: Usage): number {
  return price === null ? 0 : costNanoUsd({ ...price, requestNanoUsd: 0 }, { ...usage, completionTokens: 0, units: 0 });
}
