import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { Receipt } from '#schema/receipt';
import type { Hold, Ledger } from '#src/ledger/ledger';
import { addToTally, createTally } from '#src/metering/tally';
import type { Passage } from '#src/passage';
import { createSettler } from '#src/settle';
import { offerOf } from '#test/src/routing/fleet';
import { NOW_MS } from '#test/support/fake-clock';
import { sampleReceipt } from './ledger/sample-receipt.ts';

const PRICE = {
  promptPicoUsdPerToken: 1_000_000,
  completionPicoUsdPerToken: 1_000_000,
  cacheWritePicoUsdPerToken: 4_000_000,
  requestNanoUsd: 0,
};

/** What is charged where an endpoint says that it has written all of a prompt of 100 tokens to its cache, and answers with ten. */
function chargedFor(content: unknown, over: Partial<Offer>): number {
  const receipts: Receipt[] = [];
  const settle = (_: Hold, receipt: Receipt) => void receipts.push(receipt);
  const settler = createSettler({ ledger: { settle } as unknown as Ledger, now: () => NOW_MS, onSettled: () => undefined });
  const tally = createTally();
  const usage = {
    source: 'reported',
    promptTokens: 100,
    completionTokens: 10,
    reasoningTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 100,
  } as const;
  addToTally(
    tally,
    { upstreamId: null, choices: [{ index: 0, delta: { content: 'x'.repeat(40) }, finish_reason: 'stop' }], usage },
    NOW_MS,
  );
  const passage = {
    id: 'gen-1',
    api: 'chat',
    call: { headers: new Headers(), arrivedAtMs: NOW_MS, waitUntil: () => undefined },
    admission: {
      caller: { keyId: 'k1' },
      team: { id: 't1' },
      policy: { name: 'p', version: 1 },
      request: { model: 'm', messages: [{ role: 'user', content }] },
      facts: { promptTokens: 100, maxTokens: null, choices: 1, stream: false },
    },
    plan: { candidates: [], record: () => sampleReceipt().plan },
    hold: { amountNanoUsd: 1e9, settlement: null },
    trail: [],
    skipped: [],
    tally,
    dispatchedAtMs: NOW_MS,
  } as unknown as Passage;
  const offer = offerOf({ price: PRICE, supply: 'selfhosted', isRegistered: true, dialect: 'anthropic-messages', ...over });
  settler.settle(
    passage,
    { offer, broken: [], brokenBy: null, finish: () => undefined } as unknown as Parameters<typeof settler.settle>[1],
    {
      state: 'completed',
    } as Parameters<typeof settler.settle>[2],
  );
  return receipts[0]?.chargedNanoUsd ?? NaN;
}

describe('writing to a cache', () => {
  const MARKED = [{ type: 'text', text: 'long', cache_control: { type: 'ephemeral' } }];

  it('M14: is charged by an operator’s word where the request asked for it, and as prompt elsewhere', () => {
    expect(chargedFor(MARKED, {})).toBe(410_000);
    expect(chargedFor('long', {})).toBe(110_000);
    expect(chargedFor(MARKED, { dialect: 'openai-chat' })).toBe(110_000);
  });
});
