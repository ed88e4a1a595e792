import { describe, expect, it } from 'vitest';
import type { PlanRecord, Usage } from '#schema/receipt';
import { draftReceipt, type RequestEnd, type RequestFile } from '#src/ledger/draft-receipt';
import { offerOf } from '#test/support/offers';
import { sampleAttempt } from './sample-receipt.ts';

const USAGE: Usage = {
  source: 'reported',
  promptTokens: 100,
  completionTokens: 5,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};
const OFFER = offerOf('a', { supply: 'subnet' });
const PLAN = { model: 'lab/model', candidates: [{ endpointId: 'a', tier: 'no_training' }] } as unknown as PlanRecord;

function draft({ file = {}, end = {}, stream = true }: { file?: Partial<RequestFile>; end?: Partial<RequestEnd>; stream?: boolean } = {}) {
  return draftReceipt(
    {
      id: 'gen-1',
      api: 'chat',
      admission: {
        caller: { keyId: 'key-1' },
        team: { id: 'research' },
        policy: { name: 'balanced', version: 3 },
        request: { model: 'gpt' },
        facts: { stream },
      },
      hold: { amountNanoUsd: 900 },
      trail: [sampleAttempt({ costNanoUsd: 70 })],
      tally: { upstreamId: 'up', finishReason: 'stop', nativeFinishReason: 'eos', firstTokenAtMs: 1100, lastTokenAtMs: 1500 },
      plan: PLAN,
      times: { arrivedAtMs: 1000, dispatchedAtMs: 1003, endedAtMs: 1600 },
      ...file,
    },
    { state: 'completed', offer: OFFER, usage: USAGE, chargedNanoUsd: 70, errorCode: null, ...end },
  );
}

describe('the receipt', () => {
  it('I12: is no longer for an upstream that says at length why it stopped', () => {
    const tally = {
      upstreamId: 'up',
      finishReason: 'stop',
      nativeFinishReason: 'x'.repeat(3_000_000),
      firstTokenAtMs: 1100,
      lastTokenAtMs: 1500,
    };
    expect(JSON.stringify(draft({ file: { tally } })).length).toBeLessThan(10_000);
  });

  it('says who asked for what, who served it, and under which promise', () => {
    expect(draft()).toMatchObject({
      id: 'gen-1',
      teamId: 'research',
      keyId: 'key-1',
      policy: 'balanced',
      policyVersion: 3,
      createdAtMs: 1000,
      requestedModel: 'gpt',
      model: 'lab/model',
      endpointId: 'a',
      providerName: 'Provider a',
      supply: 'subnet',
      tier: 'no_training',
      finishReason: 'stop',
      nativeFinishReason: 'eos',
      upstreamId: 'up',
      sessionId: null,
      heldNanoUsd: 900,
    });
  });

  it('M6: the customer is charged once, what other attempts cost is absorbed, and nothing is lost', () => {
    const trail = [sampleAttempt({ costNanoUsd: 30, outcome: 'interrupted' }), sampleAttempt({ index: 1, costNanoUsd: 70 })];
    const receipt = draft({ file: { trail } });
    expect([receipt.chargedNanoUsd, receipt.absorbedNanoUsd]).toEqual([70, 30]);
    expect(receipt.chargedNanoUsd + receipt.absorbedNanoUsd).toBe(receipt.attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0));
  });

  it('a request that nobody answered names no endpoint and costs nothing', () => {
    const receipt = draft({
      file: { trail: [] },
      end: { state: 'failed', offer: null, usage: null, chargedNanoUsd: 0, errorCode: 'upstream_failed' },
    });
    expect(receipt).toMatchObject({
      state: 'failed',
      errorCode: 'upstream_failed',
      model: 'lab/model',
      endpointId: null,
      providerId: null,
      supply: null,
      tier: null,
      chargedNanoUsd: 0,
      absorbedNanoUsd: 0,
      usage: { promptTokens: 0, completionTokens: 0 },
    });
  });
});

describe('its times', () => {
  const tally = { upstreamId: null, finishReason: null, nativeFinishReason: null };

  it('run from the arrival; the pace is over the tokens after the first', () => {
    expect(draft().timing).toEqual({ overheadMs: 3, ttftMs: 100, tpotMs: 100, totalMs: 600 });
  });

  it('a whole answer has neither a first token nor a pace', () => {
    expect(draft({ stream: false }).timing).toMatchObject({ ttftMs: null, tpotMs: null, totalMs: 600 });
  });

  it('one token has no pace', () => {
    expect(draft({ end: { usage: { ...USAGE, completionTokens: 1 } } }).timing).toMatchObject({ ttftMs: 100, tpotMs: null });
  });

  it('no content has neither', () => {
    expect(draft({ file: { tally: { ...tally, firstTokenAtMs: null, lastTokenAtMs: null } } }).timing).toMatchObject({
      ttftMs: null,
      tpotMs: null,
    });
  });

  it('M6: tells attempts as they began, though a resumed answer ends all of its attempts at once', () => {
    const resumed = [
      sampleAttempt({ endpointId: 'b', role: 'resume', outcome: 'failed', startedAtMs: 1400, index: 0 }),
      sampleAttempt({ endpointId: 'a', role: 'first', outcome: 'interrupted', startedAtMs: 1100, index: 1 }),
      sampleAttempt({ endpointId: 'c', role: 'resume', startedAtMs: 1450, index: 2 }),
    ];
    const told = (trail: typeof resumed) => draft({ file: { trail } }).attempts.map(({ index, endpointId }) => [index, endpointId]);
    const expected = [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ];
    expect(told(resumed)).toEqual(expected);
    // A clock may stand still.
    expect(told(resumed.map((attempt) => ({ ...attempt, startedAtMs: 1100 })))).toEqual(expected);
    expect(resumed.map(({ index }) => index)).toEqual([0, 1, 2]);
  });
});
