/** Compares what clients saw with what the books say. Pure. */
import { costNanoUsd, type Price } from '#schema/money';
import type { Outcome } from './client.ts';
import type { AttemptRow, Books, ReceiptRow } from './store.ts';
import { BUDGETED_TEAM } from './teams.ts';

/** What `GET /v1/generation?id=` says of a request; null where it has none. */
export interface GenerationView {
  state: string;
  chargedNanoUsd: number;
  roles: string[];
}

/**
 * What must be zero. `chargedTwice`: the journal took more from a team than its receipts charge, or one generation id was given twice;
 * `notCharged`: usage that costs nothing; `mischarged`: another amount than usage × price, or than the client was told;
 * `rowsLost`: ids that clients saw without a receipt, and receipts without their attempts; `misstated`: a receipt that tells
 * another ending than the client saw, or that `/v1/generation` tells differently.
 */
export const FAULTS_OF_BOOKS = [
  'chargedTwice',
  'notCharged',
  'mischarged',
  'rowsLost',
  'misstated',
  'journalUnbalanced',
  'overspent',
] as const;
export type BookFault = (typeof FAULTS_OF_BOOKS)[number];

/** One thing that is wrong, with its evidence. */
export interface Violation {
  fault: BookFault;
  detail: string;
}

/** Everything to be reconciled. `prices` by endpoint id; `generations` by generation id. */
export interface Evidence {
  outcomes: readonly Outcome[];
  books: Books;
  generations: ReadonlyMap<string, GenerationView | null>;
  prices: ReadonlyMap<string, Price>;
  budgetNanoUsd: number;
}

/** Lists everything that does not add up. */
export function reconcile(evidence: Evidence): Violation[] {
  const { outcomes, books } = evidence;
  const receipts = new Map(books.receipts.map((receipt) => [receipt.id, receipt]));
  const attempts = Map.groupBy(books.attempts, ({ receiptId }) => receiptId);
  return [
    ...findSharedIds(outcomes),
    ...outcomes.flatMap((outcome) => checkOutcome(outcome, receipts, evidence)),
    ...books.receipts.flatMap((receipt) => checkReceipt(receipt, attempts.get(receipt.id) ?? [], evidence)),
    ...checkJournal(books),
    ...checkBudget(books, evidence.budgetNanoUsd),
  ];
}

function findSharedIds(outcomes: readonly Outcome[]): Violation[] {
  const byId = Map.groupBy(
    outcomes.filter(({ generationId }) => generationId !== null),
    ({ generationId }) => generationId,
  );
  return [...byId]
    .filter(([, sharers]) => sharers.length > 1)
    .map(([id, sharers]) => ({ fault: 'chargedTwice', detail: `${id} was given to ${sharers.length} requests` }));
}

/** The states that a receipt may have after each ending. A client that leaves may do so after the last word. */
const STATES: Readonly<Record<Outcome['ending'], readonly string[]>> = {
  completed: ['completed'],
  refused: [],
  failed: ['failed'],
  broken: ['interrupted'],
  left: ['cancelled', 'completed', 'interrupted'],
  untyped: ['interrupted', 'cancelled', 'failed', 'completed'],
  silent: ['cancelled', 'completed', 'interrupted', 'failed'],
};

function checkOutcome(outcome: Outcome, receipts: ReadonlyMap<string, ReceiptRow>, { generations }: Evidence): Violation[] {
  const { generationId: id, ending, usage, request } = outcome;
  // A request that the budget refuses is none; one without an id never reached the hall.
  if (id === null || ending === 'refused') return [];
  const receipt = receipts.get(id);
  const seen = `${id} (${request.api}, ${ending})`;
  if (receipt === undefined) return [{ fault: 'rowsLost', detail: `${seen} has no receipt` }];

  const violations: Violation[] = [];
  const find = (fault: BookFault, detail: string): void => void violations.push({ fault, detail: `${seen} ${detail}` });
  if (receipt.teamId !== request.teamId) find('mischarged', `was asked by ${request.teamId} and charged to ${receipt.teamId}`);
  if (!STATES[ending].includes(receipt.state)) find('misstated', `is ${receipt.state} in its receipt`);
  if (usage !== null && usage.costNanoUsd !== receipt.chargedNanoUsd)
    find('mischarged', `was told ${usage.costNanoUsd} and charged ${receipt.chargedNanoUsd} nano-USD`);
  if (usage !== null && (usage.promptTokens !== receipt.promptTokens || usage.completionTokens !== receipt.completionTokens))
    find(
      'mischarged',
      `was told ${usage.promptTokens}+${usage.completionTokens} tokens, not ${receipt.promptTokens}+${receipt.completionTokens}`,
    );
  if (ending === 'completed' && usage === null) find('misstated', 'was told no usage');
  if (ending === 'completed' && receipt.chargedNanoUsd === 0) find('notCharged', 'is a whole answer for nothing');
  if (ending === 'failed' && receipt.chargedNanoUsd > 0) find('mischarged', `got nothing for ${receipt.chargedNanoUsd} nano-USD`);

  const view = generations.get(id) ?? null;
  if (view === null) find('rowsLost', 'is not found by /v1/generation');
  else if (view.state !== receipt.state || view.chargedNanoUsd !== receipt.chargedNanoUsd)
    find(
      'misstated',
      `is ${view.state} for ${view.chargedNanoUsd} in /v1/generation, ${receipt.state} for ${receipt.chargedNanoUsd} in D1`,
    );
  return violations;
}

function checkReceipt(receipt: ReceiptRow, attempts: readonly AttemptRow[], { prices }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const find = (fault: BookFault, detail: string): void =>
    void violations.push({ fault, detail: `${receipt.id} (${receipt.state}) ${detail}` });
  if (receipt.endpointId !== null && attempts.length === 0) find('rowsLost', 'has no attempts');
  const costs = attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  if (receipt.absorbedNanoUsd !== costs - receipt.chargedNanoUsd)
    find('mischarged', `absorbs ${receipt.absorbedNanoUsd}, though attempts cost ${costs} and ${receipt.chargedNanoUsd} was charged`);
  const { least, most } = rightCharge(receipt, attempts, prices);
  if (receipt.chargedNanoUsd < least || receipt.chargedNanoUsd > most)
    find('mischarged', `charges ${receipt.chargedNanoUsd} nano-USD, right would be ${least === most ? least : `${least} to ${most}`}`);
  return violations;
}

/** Computes what a request must cost: its usage at the price of who served it, and never more than was held. */
function rightCharge(
  receipt: ReceiptRow,
  attempts: readonly AttemptRow[],
  prices: ReadonlyMap<string, Price>,
): { least: number; most: number } {
  const price = prices.get(receipt.endpointId ?? '');
  if (price === undefined) return { least: 0, most: 0 };
  const segments = attempts.filter(({ completionTokens }) => completionTokens > 0);
  if (segments.length < 2) {
    const cost = Math.min(receipt.heldNanoUsd, costNanoUsd(price, receipt));
    return { least: cost, most: cost };
  }
  // The prompt is paid to the first, and each is paid for what it said; every line may have been rounded by itself.
  const [first] = segments;
  const prompt = costNanoUsd(prices.get(first?.endpointId ?? '') ?? price, { ...receipt, completionTokens: 0 });
  const said = segments.reduce((sum, { endpointId, completionTokens }) => {
    const each = prices.get(endpointId) ?? price;
    return (
      sum + costNanoUsd({ ...each, requestNanoUsd: 0 }, { promptTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, completionTokens })
    );
  }, 0);
  const most = Math.min(receipt.heldNanoUsd, prompt + said + segments.length);
  return { least: Math.min(receipt.heldNanoUsd, prompt + said - segments.length), most };
}

function checkJournal({ receipts, journal }: Books): Violation[] {
  const violations: Violation[] = [];
  for (const [batchId, entries] of Map.groupBy(journal, (entry) => entry.batchId)) {
    const sum = entries.reduce((total, { amountNanoUsd }) => total + amountNanoUsd, 0);
    if (sum !== 0) violations.push({ fault: 'journalUnbalanced', detail: `batch ${batchId} sums to ${sum} nano-USD` });
  }
  const chargedBy = sumBy(
    receipts,
    ({ teamId, batchId }) => `team:${teamId} in ${batchId}`,
    ({ chargedNanoUsd }) => chargedNanoUsd,
  );
  const takenFrom = sumBy(
    journal.filter(({ account }) => account.startsWith('team:')),
    ({ account, batchId }) => `${account} in ${batchId}`,
    ({ amountNanoUsd }) => -amountNanoUsd,
  );
  for (const where of new Set([...chargedBy.keys(), ...takenFrom.keys()])) {
    const [charged, taken] = [chargedBy.get(where) ?? 0, takenFrom.get(where) ?? 0];
    if (taken > charged)
      violations.push({ fault: 'chargedTwice', detail: `${where}: the journal took ${taken}, receipts charge ${charged}` });
    if (taken < charged)
      violations.push({ fault: 'notCharged', detail: `${where}: the journal took ${taken}, receipts charge ${charged}` });
  }
  return violations;
}

function checkBudget({ receipts }: Books, budgetNanoUsd: number): Violation[] {
  const spent = chargedTo(receipts, BUDGETED_TEAM);
  return spent > budgetNanoUsd ? [{ fault: 'overspent', detail: `${BUDGETED_TEAM} spent ${spent} of ${budgetNanoUsd} nano-USD` }] : [];
}

/** Sums up what a team was charged, in nano-USD. */
export function chargedTo(receipts: readonly ReceiptRow[], team: string): number {
  return receipts.reduce((sum, { teamId, chargedNanoUsd }) => (teamId === team ? sum + chargedNanoUsd : sum), 0);
}

function sumBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string, amountOf: (row: Row) => number): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + amountOf(row));
  return sums;
}
