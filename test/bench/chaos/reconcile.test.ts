import { describe, expect, test } from 'vitest';
import { reconcile, type Evidence } from '#bench/chaos/reconcile';
import { attempt, outcome, PRICE, receipt, REQUEST } from './support.ts';

const JOURNAL = [
  { batchId: 'batch-1', account: 'team:steady', amountNanoUsd: -200 },
  { batchId: 'batch-1', account: 'supply:selfhosted', amountNanoUsd: 200 },
];

function evidence({
  receipts = [receipt()],
  attempts = [attempt()],
  journal = JOURNAL,
  ...rest
}: Partial<Evidence> & Partial<Evidence['books']> = {}): Evidence {
  return {
    outcomes: [outcome()],
    books: { receipts, attempts, journal },
    generations: new Map([['gen-1', { state: 'completed', chargedNanoUsd: 200, roles: ['first'] }]]),
    prices: new Map([
      ['one', PRICE],
      ['two', { ...PRICE, completionPicoUsdPerToken: 4000 }],
    ]),
    budgetNanoUsd: 1000,
    ...rest,
  };
}

function faultsOf(changes: Parameters<typeof evidence>[0]): string[] {
  return [...new Set(reconcile(evidence(changes)).map(({ fault }) => fault))];
}

test('books that agree with what clients saw have no fault', () => {
  expect(reconcile(evidence())).toEqual([]);
});

describe('clients and receipts', () => {
  test('an id without a receipt is a lost row, but not one whose request the budget refused', () => {
    expect(faultsOf({ receipts: [], attempts: [], journal: [] })).toEqual(['rowsLost']);
    expect(faultsOf({ outcomes: [outcome({ ending: 'refused', usage: null })], receipts: [], attempts: [], journal: [] })).toEqual([]);
  });

  test('a receipt without its attempts, and one that /v1/generation has not, are lost rows', () => {
    expect(faultsOf({ attempts: [] })).toContain('rowsLost');
    expect(faultsOf({ generations: new Map([['gen-1', null]]) })).toEqual(['rowsLost']);
  });

  test('one id for two requests charges one of them for the other', () => {
    expect(faultsOf({ outcomes: [outcome(), outcome()] })).toEqual(['chargedTwice']);
  });

  test('an ending that the receipt tells otherwise is misstated', () => {
    expect(faultsOf({ outcomes: [outcome({ ending: 'broken', usage: null })] })).toEqual(['misstated']);
    expect(faultsOf({ outcomes: [outcome({ ending: 'left', usage: null })] })).toEqual([]);
    expect(faultsOf({ generations: new Map([['gen-1', { state: 'completed', chargedNanoUsd: 1, roles: [] }]]) })).toEqual(['misstated']);
  });

  test('another cost, or other tokens, than the client was told is mischarged', () => {
    const { usage } = outcome();
    expect(faultsOf({ outcomes: [outcome({ usage: { ...usage!, costNanoUsd: 201 } })] })).toEqual(['mischarged']);
    expect(faultsOf({ outcomes: [outcome({ usage: { ...usage!, completionTokens: 51 } })] })).toEqual(['mischarged']);
    expect(faultsOf({ outcomes: [outcome({ request: { ...REQUEST, teamId: 'hasty' } })] })).toEqual(['mischarged']);
  });

  test('a whole answer for nothing is not charged; a failure that costs something is mischarged', () => {
    const free = { chargedNanoUsd: 0, completionTokens: 0, promptTokens: 0 };
    expect(faultsOf({ receipts: [receipt(free)], attempts: [attempt({ ...free, costNanoUsd: 0 })], journal: [] })).toContain('notCharged');
    expect(faultsOf({ outcomes: [outcome({ ending: 'failed', usage: null })], receipts: [receipt({ state: 'failed' })] })).toContain(
      'mischarged',
    );
  });
});

describe('prices', () => {
  test('a charge that is not usage × price is mischarged, unless the hold was all that could be taken', () => {
    expect(faultsOf({ receipts: [receipt({ completionTokens: 60 })] })).toContain('mischarged');
    const capped = { heldNanoUsd: 200, completionTokens: 60 };
    const told = outcome({ usage: { promptTokens: 100, completionTokens: 60, costNanoUsd: 200 } });
    expect(faultsOf({ outcomes: [told], receipts: [receipt(capped)], attempts: [attempt({ completionTokens: 60 })] })).toEqual([]);
  });

  test('what is absorbed is what attempts cost beyond the charge', () => {
    expect(
      faultsOf({ attempts: [attempt(), attempt({ role: 'hedge', outcome: 'cancelled', completionTokens: 0, costNanoUsd: 100 })] }),
    ).toEqual(['mischarged']);
    const journal = [
      ...JOURNAL,
      { batchId: 'batch-1', account: 'supply:other', amountNanoUsd: 100 },
      { batchId: 'batch-1', account: 'house', amountNanoUsd: -100 },
    ];
    expect(
      faultsOf({
        receipts: [receipt({ absorbedNanoUsd: 100 })],
        attempts: [attempt(), attempt({ role: 'hedge', outcome: 'cancelled', completionTokens: 0, costNanoUsd: 100 })],
        journal,
      }),
    ).toEqual([]);
  });

  test('a resumed answer pays for its prompt once and for each part at the price of who said it', () => {
    // 100 prompt tokens and 20 more at the first, 30 at the second; the second prompt is the house's.
    const attempts = [
      attempt({ outcome: 'interrupted', completionTokens: 20, costNanoUsd: 140 }),
      attempt({ endpointId: 'two', role: 'resume', promptTokens: 120, completionTokens: 30, costNanoUsd: 240 }),
    ];
    const resumed = (chargedNanoUsd: number) =>
      faultsOf({
        outcomes: [outcome({ usage: { promptTokens: 100, completionTokens: 50, costNanoUsd: chargedNanoUsd } })],
        receipts: [receipt({ endpointId: 'two', chargedNanoUsd, absorbedNanoUsd: 380 - chargedNanoUsd })],
        attempts,
        journal: [
          { batchId: 'batch-1', account: 'team:steady', amountNanoUsd: -chargedNanoUsd },
          { batchId: 'batch-1', account: 'house', amountNanoUsd: chargedNanoUsd },
        ],
        generations: new Map([['gen-1', { state: 'completed', chargedNanoUsd, roles: ['first', 'resume'] }]]),
      });
    expect(resumed(260)).toEqual([]);
    expect(resumed(380)).toEqual(['mischarged']);
    expect(resumed(200)).toEqual(['mischarged']);
  });
});

describe('journal and budget', () => {
  test('a batch that does not sum to zero is unbalanced', () => {
    expect(faultsOf({ journal: [...JOURNAL, { batchId: 'batch-1', account: 'house', amountNanoUsd: 1 }] })).toEqual(['journalUnbalanced']);
  });

  test('a team from which more is taken than its receipts charge is charged twice, one from which less is taken not at all', () => {
    const again = JOURNAL.map((entry) => ({ ...entry, batchId: 'batch-2' }));
    expect(faultsOf({ journal: [...JOURNAL, ...again] })).toEqual(['chargedTwice']);
    expect(faultsOf({ journal: [] })).toEqual(['notCharged']);
  });

  test('a budget that was passed is overspent', () => {
    const spender = { ...REQUEST, teamId: 'thrift' };
    const journal = JOURNAL.map((entry) => ({ ...entry, account: entry.account.replace('steady', 'thrift') }));
    const changes = { outcomes: [outcome({ request: spender })], receipts: [receipt({ teamId: 'thrift' })], journal };
    expect(faultsOf({ ...changes, budgetNanoUsd: 200 })).toEqual([]);
    expect(faultsOf({ ...changes, budgetNanoUsd: 199 })).toEqual(['overspent']);
  });
});
