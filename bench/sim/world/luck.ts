/** The luck of one call: what it draws from its endpoint's distributions, the same whichever policy makes it. */
import type { Fault, SimEndpoint } from '../contract.ts';
import { chanceOf, lognormal, type Random } from './chance.ts';

/** What ordinary failures look like: shares of all of them, the rest being answers without content. */
const ORDINARY_ERROR = 0.7;
const ORDINARY_CONNECTION = 0.15;
const ORDINARY_SILENCE = 0.1;

export interface Luck {
  /** Time to the first token without prefill, line and slowness. */
  firstTokenMs: number;
  /** Factor on the endpoint's time per token. */
  pace: number;
  /** A failure that has nothing to do with any spell; null for most calls. */
  failure: Exclude<Fault, { kind: 'slow' }> | null;
  /** Where the stream would break, as a share of the answer; null where it would not. */
  ordinaryBreak: number | null;
  /** Where a spell of breaking streams would break it. */
  breakPlace: number;
  /** Decides which spells hit. */
  spells: Random;
}

/** Draws the luck of the `attempt`th call of a request to an endpoint. */
export function drawLuck(
  endpoint: SimEndpoint,
  { seed, requestId, attempt }: { seed: number; requestId: number | 'canary'; attempt: number },
): Luck {
  const random = chanceOf(seed, 'call', endpoint.id, requestId, attempt);
  const firstTokenMs = lognormal(random, endpoint.firstTokenMsP50, endpoint.firstTokenSigma);
  const pace = lognormal(random, 1, endpoint.tpotSigma);
  const fails = random() < endpoint.failureShare;
  const failure = ordinaryFailure(random());
  const breaks = random() < endpoint.breakShare;
  const breakPlace = random();
  return {
    firstTokenMs,
    pace,
    failure: fails ? failure : null,
    ordinaryBreak: breaks ? breakPlace : null,
    breakPlace,
    spells: chanceOf(seed, 'spells', endpoint.id, requestId, attempt),
  };
}

function ordinaryFailure(roll: number): Exclude<Fault, { kind: 'slow' }> {
  if (roll < ORDINARY_ERROR) return { kind: 'error', status: roll < ORDINARY_ERROR / 2 ? 502 : 500 };
  if (roll < ORDINARY_ERROR + ORDINARY_CONNECTION) return { kind: 'unreachable' };
  return { kind: roll < ORDINARY_ERROR + ORDINARY_CONNECTION + ORDINARY_SILENCE ? 'silent' : 'empty' };
}
