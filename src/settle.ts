/** How requests end: what was used is counted, charged, written down and told to the client. */
import type { Offer } from '#schema/catalog';
import type { GatewayError } from '#schema/error';
import { NOTHING_USED, type PlanRecord, type Usage } from '#schema/receipt';
import type { Settlement, UnitSize } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import type { Reply } from '#src/dispatch/dispatch';
import { explainFailure } from '#src/dispatch/exhausted';
import { draftReceipt, type RequestEnd } from '#src/ledger/draft-receipt';
import type { Ledger } from '#src/ledger/ledger';
import { billOf, lostByokOf } from '#src/metering/bill';
import { asksCacheWrites } from '#src/metering/cache-marks';
import { toRouterMetadata } from '#src/metering/router-metadata';
import { settleUnits } from '#src/metering/settle-units';
import { settleUsage } from '#src/metering/settle-usage';
import { cutTally, spanOf, type Segment } from '#src/metering/tally';
import type { StreamEnd } from '#src/metering/transcript';
import { answerHeaders, isByok, wantsMetadata, type Call, type Passage } from '#src/passage';

/** How an answer ended, for the one who settles it. */
export type AnswerEnd = Exclude<StreamEnd, { state: 'failed' }>;

export interface Settler {
  /** Ends a conversation that an upstream answered: books the attempt, writes the receipt, returns what the client is told of it. */
  settle(passage: Passage, reply: Reply, end: AnswerEnd): Settlement;
  /** Ends a unit operation that an upstream answered. */
  settleUnit(passage: Passage, reply: Reply, unit: { size: UnitSize; said: UnitReply }, end: AnswerEnd): Settlement;
  /** Ends a request that no upstream answered; the customer pays nothing. Returns the error with the request's labels on it. */
  settleFailure(passage: Passage, error: GatewayError): GatewayError;
  /** Ends a request that broke inside the router, where nothing has ended it yet: with a receipt if that can be written, never with its hold. */
  abandon(passage: Passage): void;
}

/** What one upstream used for its part of an answer, and when that part came. */
interface ServedPart extends Pick<Segment, 'firstTokenAtMs' | 'lastTokenAtMs'> {
  offer: Offer;
  usage: Usage;
}

/** A whole answer arrives at once: it has no first token and no pace. */
const UNTIMED = { firstTokenAtMs: null, lastTokenAtMs: null };

/** What the settler uses. `onSettled` is told of every request that has ended. */
export interface SettlerPorts {
  ledger: Ledger;
  now(): number;
  onSettled(call: Call): void;
}

/** Creates the settler of one isolate. */
export function createSettler({ ledger, now, onSettled }: SettlerPorts): Settler {
  /** Books every part of an answer, the last one being that of the upstream that answered to the end, and charges for all of them together. */
  function end(passage: Passage, reply: Reply, parts: readonly ServedPart[], how: AnswerEnd): Settlement {
    const failure = how.state === 'interrupted' ? how.failure : null;
    const lostNanoUsd = lostByok(passage);
    for (const [place, { usage, firstTokenAtMs, lastTokenAtMs }] of parts.entries()) {
      const part = { usage, firstTokenAtMs, lastTokenAtMs };
      const broken = reply.broken[place];
      if (broken === undefined) reply.finish({ outcome: how.state, failure, ...part });
      else broken.finish({ outcome: 'interrupted', failure: broken.failure, ...part });
    }
    const bill = billOf(
      parts.map(({ offer, usage }) => ({ price: offer.price, usage, isByok: isByok(passage, offer) })),
      lostNanoUsd,
    );
    // The answer says what the ledger will capture, and that is never more than was held.
    const chargedNanoUsd = Math.min(passage.hold.amountNanoUsd, bill.totalNanoUsd);
    const errorCode = failure && explainFailure(failure).code;
    const record = writeReceipt(passage, {
      state: how.state,
      offer: reply.offer,
      usage: bill.usage,
      chargedNanoUsd,
      ...(bill.byok && { byokNanoUsd: bill.byok.totalNanoUsd }),
      errorCode,
    });
    return {
      usage: bill.usage,
      chargedNanoUsd,
      promptNanoUsd: Math.min(bill.promptNanoUsd, chargedNanoUsd),
      ...(bill.byok && { byok: bill.byok }),
      endedAtS: Math.floor(now() / 1000),
      routerMetadata: metadataOf(passage, record),
    };
  }

  function metadataOf(passage: Passage, record: PlanRecord): object | null {
    const { admission, trail, dispatchedAtMs } = passage;
    return wantsMetadata(passage) ? toRouterMetadata(admission.request.model, record, trail, now() - dispatchedAtMs) : null;
  }

  function writeReceipt(passage: Passage, how: RequestEnd): PlanRecord {
    const { id, api, call, admission, hold, trail, skipped, tally, dispatchedAtMs } = passage;
    const planned = passage.plan.record();
    const plan = skipped.length === 0 ? planned : { ...planned, skipped };
    const times = { arrivedAtMs: call.arrivedAtMs, dispatchedAtMs, endedAtMs: now() };
    const answered = { ...tally, ...spanOf(tally) };
    const receipt = draftReceipt({ id, api, admission, hold, trail, tally: answered, plan, times }, how);
    const durable = ledger.settle(hold, receipt);
    // One request of a batch stays to store it; keeping all of them alive would cost more than storing does.
    if (hold.leads) call.waitUntil(durable);
    call.once?.settle(receipt);
    onSettled(call);
    return plan;
  }

  return {
    settle(passage, reply, how) {
      const { tally, admission } = passage;
      const { facts } = admission;
      // A client that leaves at the very seam has not had it counted.
      while (tally.broken.length < reply.broken.length) cutTally(tally);

      let promptTokens = facts.promptTokens;
      let tokensLeft = facts.maxTokens === null ? Infinity : facts.maxTokens * facts.choices;
      const toPart = (offer: Offer, segment: Segment, isWhole: boolean): ServedPart => {
        const asksWrites = () => asksCacheWrites(admission.request, offer);
        const usage = capped(settleUsage(segment, promptTokens, offer, isWhole, asksWrites), tokensLeft);
        tokensLeft -= usage.completionTokens;
        // Whoever goes on has read what was said so far.
        promptTokens += Math.ceil(segment.contentTokens);
        const { firstTokenAtMs, lastTokenAtMs } = facts.stream ? segment : UNTIMED;
        return { offer, usage, firstTokenAtMs, lastTokenAtMs };
      };
      const isWhole = how.state === 'completed' && how.atHold !== true && reply.brokenBy === null;
      const before = tally.broken.map((segment, place) => toPart(reply.broken[place]?.offer ?? reply.offer, segment, false));
      return end(passage, reply, [...before, toPart(reply.offer, tally, isWhole)], how);
    },
    settleUnit(passage, reply, { size, said }, how) {
      const { offer } = reply;
      // What broke off in the middle is of no use: a picture, a sound or a list has no first half.
      const usage = how.state === 'interrupted' ? NOTHING_USED : settleUnits(said, size, offer);
      return end(passage, reply, [{ offer, usage, ...UNTIMED }], how);
    },
    abandon(passage) {
      if (passage.hold.settlement !== null) return;
      try {
        writeReceipt(passage, { state: 'failed', offer: null, usage: null, chargedNanoUsd: 0, errorCode: 'internal_error' });
      } catch {
        ledger.release(passage.hold);
      }
    },
    settleFailure(passage, error) {
      const state = passage.trail.at(-1)?.outcome === 'cancelled' ? 'cancelled' : 'failed';
      const byokNanoUsd = lostByok(passage);
      const record = writeReceipt(passage, {
        state,
        offer: null,
        usage: null,
        chargedNanoUsd: 0,
        ...(byokNanoUsd > 0 && { byokNanoUsd }),
        errorCode: error.code,
      });
      const routerMetadata = metadataOf(passage, record);
      return error.withRequest({ headers: answerHeaders(passage, null, passage.trail.length), ...(routerMetadata && { routerMetadata }) });
    },
  };
}

/** What the team's own keys were billed for attempts that are booked and no part of an answer. */
function lostByok({ trail, plan }: Passage): number {
  if (!trail.some(({ byok }) => byok)) return 0;
  const prices = new Map(plan.candidates.map(({ offer }) => [offer.endpointId, offer.price]));
  return lostByokOf(trail, (endpointId) => prices.get(endpointId) ?? null);
}

/** Our own count is a guess; nobody can have been given more than was asked for. */
function capped(usage: Usage, tokensMax: number): Usage {
  if (usage.source === 'reported' || usage.completionTokens <= tokensMax) return usage;
  const completionTokens = Math.max(0, tokensMax);
  return { ...usage, completionTokens, reasoningTokens: Math.min(usage.reasoningTokens, completionTokens) };
}
