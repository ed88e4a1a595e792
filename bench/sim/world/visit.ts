/** One call at one endpoint, from the caller's send to its end: network, line, prefill, decoding, faults and the bill (docs/routing.md). */
import { costNanoUsd, type Price } from '#schema/money';
import type { Clock } from '../clock.ts';
import type { CallFailure, CallListener, CallRecord, Fault, LiveCall, SimEndpoint, SimTimer } from '../contract.ts';
import type { Errand } from './errand.ts';
import type { Luck } from './luck.ts';
import { BLOCK_TOKENS, type PrefixCache } from './prefix-cache.ts';
import type { Slots, Ticket } from './slots.ts';
import type { Weather } from './timeline.ts';

/** One way through the network: a part of the unloaded first-token time, and no more than this. */
const WIRE_SHARE = 0.2;
const WIRE_MS_MAX = 50;
/** How load stretches prefill and decoding. */
const PREFILL_LOAD = 0.5;
const DECODE_LOAD = 0.6;
/** Tokens reach the caller in pieces that take about so long, so that a stream costs few events and no pause looks like a stall. */
const PIECE_MS = 750;
const PIECE_TOKENS_MIN = 8;
/** A liar stops after so many tokens. */
const STALL_TOKENS = 2;

const FINE: Weather = { slowFactor: 1, fault: null };

/** The machine that is visited. */
export interface Machine {
  endpoint: SimEndpoint;
  clock: Clock;
  slots: Slots;
  cache: PrefixCache | null;
  /** Looks up what is wrong when the call arrives. */
  weather(errand: Errand, luck: Luck): Weather;
}

export interface VisitOrder {
  errand: Errand;
  luck: Luck;
  listener: CallListener;
  /** What a token costs; holds for the whole visit. */
  price: Price;
  /** Written as the call goes. */
  record: CallRecord;
}

/** Decoding, once the prompt is being read. `stopsAfter` tokens the stream breaks or falls silent. */
interface Decoding {
  firstAtMs: number;
  tpotMs: number;
  stopsAfter: number;
}

/** Sends a call on its way. */
export function visit(
  { endpoint, clock, slots, cache, weather: weatherFor }: Machine,
  { errand, luck, listener, price, record }: VisitOrder,
): LiveCall {
  const { promptTokens, outputTokens } = errand;
  const wireMs = Math.min(WIRE_MS_MAX, WIRE_SHARE * luck.firstTokenMs);
  const ticket: Ticket = { state: 'outside', tokens: promptTokens + outputTokens, start };
  let weather = FINE;
  let decoding: Decoding | null = null;
  let cachedTokens = 0;
  let isOver = false;
  let timer: SimTimer = later(wireMs, arrive);

  function later(delayMs: number, what: () => void): SimTimer {
    return clock.after(delayMs, () => {
      if (!isOver) what();
    });
  }

  function arrive(): void {
    weather = weatherFor(errand, luck);
    if (promptTokens + outputTokens > Math.min(endpoint.context, endpoint.poolTokens ?? Infinity))
      return reject({ kind: 'error', status: 400 });
    if (turnsAway(weather.fault ?? luck.failure)) return;
    if (!slots.enter(ticket)) return reject({ kind: 'refused', status: 429, retryAfterMs: null });
    sendHeaders();
    if (weather.fault?.kind === 'hollow' && listener.hollow !== undefined) later(wireMs, () => listener.hollow?.());
  }

  function reject(failure: CallFailure): void {
    timer = later(wireMs, () => end(failure, false));
  }

  function sendHeaders(): void {
    if (listener.headers === undefined) return;
    const load = endpoint.poolTokens === undefined ? null : slots.load();
    later(wireMs, () => listener.headers?.(load));
  }

  /** Ends calls that a fault keeps from being taken in; false for those that are. */
  function turnsAway(fault: Exclude<Fault, { kind: 'slow' }> | null): boolean {
    switch (fault?.kind) {
      case undefined:
      case 'break':
      case 'stall':
      case 'hollow':
        return false;
      case 'unreachable':
        reject({ kind: 'connection' });
        return true;
      case 'error':
        reject({ kind: 'error', status: fault.status });
        return true;
      case 'refuse':
        reject({ kind: 'refused', status: 429, retryAfterMs: fault.retryAfterMs });
        return true;
      case 'hang':
        return true;
      case 'silent':
        sendHeaders();
        return true;
      case 'empty':
      case 'garbage':
        sendHeaders();
        // Nothing comes at once, nonsense takes its time.
        timer = later(fault.kind === 'empty' ? wireMs : luck.firstTokenMs, () => end({ kind: 'nonsense' }, endpoint.billing.onFailure));
        return true;
      default:
        return fault satisfies never;
    }
  }

  /** Reads the prompt, at a slot. */
  function start(load: number): void {
    cachedTokens = Math.min(promptTokens, BLOCK_TOKENS * (cache?.read(errand.blocks, clock.now()) ?? 0));
    const { slowFactor, fault } = weather;
    const prefillMs = ((1000 * (promptTokens - cachedTokens)) / endpoint.prefillTokensPerSecond) * (1 + PREFILL_LOAD * load);
    const hollowMs = fault?.kind === 'hollow' ? fault.delayMs : 0;
    const firstAtMs = clock.now() + (luck.firstTokenMs - wireMs + prefillMs) * slowFactor + hollowMs;
    const tpotMs = endpoint.tpotMs * luck.pace * slowFactor * (1 + DECODE_LOAD * Math.min(1, load));
    decoding = { firstAtMs, tpotMs, stopsAfter: stopsAfter() };
    timer = later(firstAtMs - clock.now(), () => speak(1));
  }

  function stopsAfter(): number {
    if (weather.fault?.kind === 'stall') return STALL_TOKENS;
    const place = weather.fault?.kind === 'break' ? luck.breakPlace : luck.ordinaryBreak;
    return place === null ? Infinity : 1 + Math.floor(place * (outputTokens - 1));
  }

  /** Sends the answer up to its `upTo`th token. */
  function speak(upTo: number): void {
    const { tpotMs, stopsAfter } = decoding as Decoding;
    const fresh = upTo - record.tokens;
    record.ttftMs ??= clock.now() - record.startedAtMs;
    record.tokens = upTo;
    listener.tokens(fresh);
    if (isOver) return;
    if (upTo >= stopsAfter) {
      // A stream that is cut shows it at once; a liar's stays open.
      if (weather.fault?.kind !== 'stall') end({ kind: 'connection' }, endpoint.billing.onFailure);
    } else if (upTo === outputTokens) end(null, true);
    else {
      const piece = Math.min(Math.max(PIECE_TOKENS_MIN, Math.round(PIECE_MS / tpotMs)), outputTokens - upTo, stopsAfter - upTo);
      timer = later(piece * tpotMs, () => speak(upTo + piece));
    }
  }

  function bill(completionTokens: number): void {
    record.billedNanoUsd = costNanoUsd(price, { promptTokens, completionTokens, cacheReadTokens: cachedTokens, cacheWriteTokens: 0 });
  }

  function end(failure: CallFailure | null, isBilled: boolean): void {
    isOver = true;
    record.endedAtMs = clock.now();
    record.outcome = failure === null ? 'completed' : record.tokens > 0 ? 'broken' : 'failed';
    if (isBilled) bill(record.tokens);
    slots.leave(ticket);
    listener.ended(failure, { cachedTokens });
  }

  function cancel(): void {
    if (isOver) return;
    isOver = true;
    clock.clear(timer);
    record.endedAtMs = clock.now() + wireMs;
    if (decoding !== null && endpoint.billing.onCancel) bill(generatedBy(record.endedAtMs, decoding));
    if (ticket.state !== 'outside') clock.after(wireMs, () => slots.leave(ticket));
  }

  /** What the machine has made by then, whether or not anybody still reads it. */
  function generatedBy(atMs: number, { firstAtMs, tpotMs, stopsAfter }: Decoding): number {
    const generated = atMs < firstAtMs ? 0 : 1 + Math.floor((atMs - firstAtMs) / tpotMs);
    return Math.min(Math.max(generated, record.tokens), outputTokens, stopsAfter);
  }

  return { cancel };
}
