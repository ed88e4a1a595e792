import { describe, expect, it } from 'vitest';
import type { Fault } from '#bench/sim/contract';
import { createLab, fleetOf, PLAIN, requestOf, spellOf, type Heard } from './fixtures.ts';

/** Where slots lie idle, prefill and decoding are stretched by the load that the call itself makes. */
const LOAD_OF_ONE = 1 / PLAIN.slots;
const TPOT_MS = PLAIN.tpotMs * (1 + 0.6 * LOAD_OF_ONE);
const FIRST_MS = PLAIN.firstTokenMsP50 + 1 * (1 + 0.5 * LOAD_OF_ONE);
const PROMPT_NANO_USD = 1_000_000;
const TOKEN_NANO_USD = 2_000;

function callUnder(fault: Fault): Heard {
  const lab = createLab(fleetOf([PLAIN], [spellOf(fault)]));
  const heard = lab.call();
  lab.run(60_000);
  return heard;
}

describe('visit', () => {
  it('answers with network, prefill and pace as the endpoint has them, and bills the whole of it once', () => {
    const lab = createLab(fleetOf([PLAIN]));
    const heard = lab.call();
    lab.run();
    expect(heard).toMatchObject({ tokens: 100, failure: null, headersAtMs: 40 });
    expect(heard.firstAtMs).toBeCloseTo(FIRST_MS, 6);
    expect(heard.endedAtMs).toBeCloseTo(FIRST_MS + 99 * TPOT_MS, 6);
    expect(heard.record).toMatchObject({ outcome: 'completed', tokens: 100, billedNanoUsd: PROMPT_NANO_USD + 100 * TOKEN_NANO_USD });
    expect(lab.world.use()[0]).toMatchObject({ calls: 1, billedNanoUsd: heard.record.billedNanoUsd });
  });

  it('lets calls wait for a slot and refuses them where the line is full', () => {
    const lab = createLab(fleetOf([PLAIN]));
    const heard = [1, 2, 3, 4].map((id) => lab.call({ request: requestOf({ id }) }));
    lab.run();
    expect(heard.map(({ failure }) => failure?.kind ?? 'whole')).toEqual(['whole', 'whole', 'whole', 'refused']);
    expect(heard[2]?.firstAtMs).toBeGreaterThan(heard[0]?.endedAtMs as number);
    expect(heard[3]?.record.billedNanoUsd).toBe(0);
  });

  it('reads what stands in its prefix cache in no time and at the cached price', () => {
    const slow = { ...PLAIN, prefillTokensPerSecond: 1_000, cache: { blocks: 10, ttlMs: 60_000 } };
    const lab = createLab(fleetOf([slow]));
    const blocks = [7, 8];
    const first = lab.call({ request: requestOf({ id: 1, promptTokens: 1_100, blocks }) });
    lab.run();
    const startedAtMs = lab.clock.now();
    const second = lab.call({ request: requestOf({ id: 2, promptTokens: 1_100, blocks: [...blocks, 9] }) });
    lab.run();
    expect([first.cachedTokens, second.cachedTokens]).toEqual([0, 1_024]);
    expect((second.firstAtMs as number) - startedAtMs).toBeCloseTo(100 + 76 * (1 + 0.5 * LOAD_OF_ONE), 6);
    expect(second.record.billedNanoUsd).toBe(76_000 + 102_400 + 100 * TOKEN_NANO_USD);
  });

  it('frees the slot of a cancelled call once the cancel has arrived, and bills what was made until then', () => {
    const lab = createLab(fleetOf([{ ...PLAIN, slots: 1, queueMax: 1 }]));
    const left = lab.call({ request: requestOf({ id: 1, outputTokens: 1_000 }) });
    const waiting = lab.call({ request: requestOf({ id: 2 }) });
    lab.run(1_000);
    left.live.cancel();
    left.live.cancel();
    lab.run();
    const tpotMs = PLAIN.tpotMs * 1.6;
    const generated = 1 + Math.floor((1_020 - 101.5) / tpotMs);
    expect(left.record).toMatchObject({ outcome: 'cancelled', billedNanoUsd: PROMPT_NANO_USD + generated * TOKEN_NANO_USD });
    expect(left.failure).toBeUndefined();
    expect(waiting.failure).toBeNull();
    expect(waiting.firstAtMs).toBeCloseTo(1_020 + 80 + 1.5, 6);
  });

  it('bills nothing for a call that leaves the line, and gives its place away', () => {
    const lab = createLab(fleetOf([{ ...PLAIN, slots: 1, queueMax: 1 }]));
    lab.call({ request: requestOf({ id: 1 }) });
    const impatient = lab.call({ request: requestOf({ id: 2 }) });
    lab.run(500);
    impatient.live.cancel();
    lab.run(600);
    const next = lab.call({ request: requestOf({ id: 3 }) });
    lab.run();
    expect(impatient.record).toMatchObject({ outcome: 'cancelled', billedNanoUsd: 0, tokens: 0 });
    expect(next.failure).toBeNull();
  });

  it('says nothing more to a caller that has left', () => {
    const lab = createLab(fleetOf([PLAIN]));
    const heard = lab.call();
    lab.run(30);
    heard.live.cancel();
    lab.run();
    expect(heard).toMatchObject({ headersAtMs: null, firstAtMs: null, tokens: 0, endedAtMs: null });
  });

  it('goes on with an answer that another endpoint began: more prompt, only the rest', () => {
    const lab = createLab(fleetOf([PLAIN]));
    const heard = lab.call({ deliveredTokens: 60, role: 'resume' });
    lab.run();
    expect(heard).toMatchObject({ tokens: 40, failure: null });
    expect(heard.record.billedNanoUsd).toBe(1_060_000 + 40 * TOKEN_NANO_USD);
  });

  it('refuses what does not fit its context', () => {
    const lab = createLab(fleetOf([PLAIN]));
    const heard = lab.call({ request: requestOf({ promptTokens: 32_700 }) });
    lab.run();
    expect(heard.failure).toEqual({ kind: 'error', status: 400 });
  });

  describe('under a fault', () => {
    it.each<{ fault: Fault; failure: Heard['failure']; tokens: number; headers: boolean }>([
      { fault: { kind: 'error', status: 503 }, failure: { kind: 'error', status: 503 }, tokens: 0, headers: false },
      { fault: { kind: 'unreachable' }, failure: { kind: 'connection' }, tokens: 0, headers: false },
      { fault: { kind: 'hang' }, failure: undefined, tokens: 0, headers: false },
      { fault: { kind: 'silent' }, failure: undefined, tokens: 0, headers: true },
      { fault: { kind: 'empty' }, failure: { kind: 'nonsense' }, tokens: 0, headers: true },
      { fault: { kind: 'garbage' }, failure: { kind: 'nonsense' }, tokens: 0, headers: true },
      { fault: { kind: 'stall' }, failure: undefined, tokens: 2, headers: true },
      {
        fault: { kind: 'refuse', retryAfterMs: -5 },
        failure: { kind: 'refused', status: 429, retryAfterMs: -5 },
        tokens: 0,
        headers: false,
      },
    ])('$fault.kind does what its name says', ({ fault, failure, tokens, headers }) => {
      const heard = callUnder(fault);
      expect(heard.failure).toEqual(failure);
      expect(heard.tokens).toBe(tokens);
      expect(heard.headersAtMs !== null).toBe(headers);
      expect(heard.record.billedNanoUsd).toBe(0);
    });

    it('break: the stream dies after content and before its end', () => {
      const heard = callUnder({ kind: 'break' });
      expect(heard.failure).toEqual({ kind: 'connection' });
      expect(heard.tokens).toBeGreaterThan(0);
      expect(heard.tokens).toBeLessThan(100);
      expect(heard.record).toMatchObject({ outcome: 'broken', billedNanoUsd: 0 });
    });

    it('break at an endpoint that bills its failures: what it took until then', () => {
      const lab = createLab(fleetOf([{ ...PLAIN, billing: { onFailure: true, onCancel: true } }], [spellOf({ kind: 'break' })]));
      const heard = lab.call();
      lab.run();
      expect(heard.record.billedNanoUsd).toBe(PROMPT_NANO_USD + heard.tokens * TOKEN_NANO_USD);
    });

    it('slow: times grow to the factor over the ramp', () => {
      const ttftAt = (atMs: number) => {
        const lab = createLab(fleetOf([PLAIN], [spellOf({ kind: 'slow', factor: 5, rampMs: 10_000 })]));
        lab.run(atMs);
        const heard = lab.call();
        lab.run();
        return (heard.firstAtMs as number) - atMs;
      };
      expect(ttftAt(5_000)).toBeCloseTo(20 + (FIRST_MS - 20) * 3.008, 1);
      expect(ttftAt(20_000)).toBeCloseTo(20 + (FIRST_MS - 20) * 5, 6);
    });

    it('hollow: a chunk without content at once, the content later', () => {
      const heard = callUnder({ kind: 'hollow', delayMs: 4_000 });
      expect(heard).toMatchObject({ hollowAtMs: 40, failure: null });
      expect(heard.firstAtMs).toBeCloseTo(FIRST_MS + 4_000, 6);
    });

    it('one that spares canaries meets traffic only, one for long prompts long prompts only', () => {
      const fleet = fleetOf([PLAIN], [spellOf({ kind: 'error', status: 500 }, { sparesCanaries: true, promptTokensMin: 500 })]);
      const lab = createLab(fleet);
      const [long, short, canary] = [
        lab.call({ request: requestOf({ id: 1, promptTokens: 500 }) }),
        lab.call({ request: requestOf({ id: 2, promptTokens: 499 }) }),
        lab.call({ request: null, role: 'canary' }),
      ];
      lab.run();
      expect([long, short, canary].map(({ failure }) => failure?.kind ?? 'whole')).toEqual(['error', 'whole', 'whole']);
      expect(canary?.tokens).toBe(1);
    });
  });

  it('gives ordinary failures and breaks as often as the endpoint has them, the same for every caller', () => {
    const frail = { ...PLAIN, failureShare: 0.2, breakShare: 0.1, slots: 10_000 };
    const outcomes = () => {
      const lab = createLab(fleetOf([frail]), 3);
      const heard = Array.from({ length: 4_000 }, (_, id) => lab.call({ request: requestOf({ id }) }));
      lab.run();
      return heard.map(({ record }) => (record.outcome === 'cancelled' ? 'failed' : record.outcome));
    };
    const seen = outcomes();
    const shareOf = (outcome: string) => seen.filter((one) => one === outcome).length / seen.length;
    expect(Math.abs(shareOf('failed') - 0.2)).toBeLessThan(0.02);
    expect(Math.abs(shareOf('broken') - 0.08)).toBeLessThan(0.015);
    expect(outcomes()).toEqual(seen);
  });
});
