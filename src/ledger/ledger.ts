/** The ledger of one isolate: holds under leases, captures by group commit. Knows the Account and D1 only through ports. */
import { within } from '#schema/within';
import { GatewayError } from '#schema/error';
import type { Quota, QuotaSize, QuotaStanding, QuotaUnit } from '#schema/quota';
import type { Receipt } from '#schema/receipt';
import type { AccountPort, CommitBatch, LeaseAsk } from './account-port.ts';
import { generationTimeMs } from './generation-id.ts';
import { GroupCommit, type CommitEvent } from './group-commit.ts';
import { pause } from './pause.ts';
import { capturable } from './price.ts';
import type { QuotaLeases, SentAsk } from './quota-leases.ts';
import { refusalOf } from './refusal.ts';
import { findInRows } from './rows.ts';
import { TeamLeases, type HeldPart, type Refused, type Wish, type WishEnd } from './team-leases.ts';

const OPEN_LIMIT_MS = 3000;
/** A hold that is refused asks once more: by then the slack of its neighbours has come in. */
const REFUSALS_MAX = 2;
/** Leases may turn out to be stale before that, each quota's once. */
const OPEN_ASKS_MAX = 4;
/** How long a request waits for the calls of others, all together, before it makes its own. */
const OPENING_LIMIT_MS = 1000;
const FIND_LIMIT_MS = 3000;
/** Younger receipts may still be on their way from another isolate. */
const FRESH_MS = 10_000;
const FIND_AGAIN_AFTER_MS = [100, 200, 400, 500, 700];
const TEAM_LIMIT = 1000;

/** Who takes, and from what: the quotas of the team and of the key, as admission knows them. */
export interface LedgerAccount {
  teamId: string;
  /** The same list for every request of a caller: what is found for it is remembered. */
  quotas: readonly Quota[];
}

/** The worst case of one request, reserved. Resolves once: by `settle` or by `release`. */
export interface Hold {
  readonly teamId: string;
  readonly amountNanoUsd: number;
  readonly parts: readonly HeldPart[];
  /** Set by the first `settle`; null while the hold is open. */
  settlement: Promise<void> | null;
  /** Set by `settle`: this hold's request stores its batch, and must be kept alive until `settlement`. */
  leads: boolean;
}

/** What the ledger tells the log. */
export type LedgerEvent = (CommitEvent | { event: 'account_unavailable' }) & { teamId: string };

export interface LedgerPorts {
  /** The team's Account object. Asked anew for every call: Workers tie a stub to the request that made it. */
  account(teamId: string): AccountPort;
  now(): number;
  newId(): string;
  log(event: LedgerEvent): void;
  /** Writes a batch to D1 past the Account; idempotent. `writeBatches` of store.ts. */
  writeDirect(batch: CommitBatch): Promise<void>;
  /** Reads a receipt from D1. `readReceipt` of store.ts. */
  readDirect(teamId: string, generationId: string): Promise<Receipt | null>;
  /** Draws the next number in [0, 1); spreads retries. Default `Math.random`. */
  random?(): number;
}

export interface Ledger {
  /**
   * Reserves the worst case in every quota, or in none. Local and instant inside live leases; otherwise one call to the team's Account.
   * Throws GatewayError `insufficient_budget` where money is short, `limit_exceeded` where a rate or slots are, or `ledger_unavailable` when
   * the Account does not answer within 3 s.
   */
  hold(account: LedgerAccount, size: QuotaSize): Hold | Promise<Hold>;
  /**
   * Captures what the receipt charges, at most what was held, and what it used of other quotas, and releases the rest; once, however often it is
   * called. Resolves when the group commit that carries the receipt is durable. Give it to `waitUntil` when the hold `leads`; the others ride
   * along.
   */
  settle(hold: Hold, receipt: Receipt): Promise<void>;
  /** Gives back a hold that no receipt will follow. Does nothing after `settle`. */
  release(hold: Hold): void;
  /** Tells what is left of the quotas that something bounds, in their order. */
  standing(account: LedgerAccount): readonly QuotaStanding[];
  /** Finds a receipt in this isolate's memory, the Account's outbox or D1, whichever has it. */
  find(teamId: string, generationId: string): Promise<Receipt | null>;
}

/** What this isolate keeps of one team. */
interface TeamBook {
  readonly leases: TeamLeases;
  readonly commits: GroupCommit;
  /** Asks for more that the Account has not answered yet. */
  readonly asking: Set<Promise<unknown>>;
}

const RELEASED = Promise.resolve();

/** Creates the ledger; one per isolate. */
export function createLedger(ports: LedgerPorts): Ledger {
  const books = new Map<string, TeamBook>();

  function bookOf(teamId: string): TeamBook {
    const known = books.get(teamId);
    if (known !== undefined) return known;
    if (books.size >= TEAM_LIMIT) forgetQuietTeams(books, ports.now());
    const leases = new TeamLeases();
    const commits = new GroupCommit({
      flush: async (batch) => {
        const sent = leases.toFlush(ports.newId, ports.now());
        const answers = await ports.account(teamId).flush(batch, asksOf(sent));
        leases.apply(sent, answers, ports.now());
      },
      writeDirect: ports.writeDirect,
      now: ports.now,
      newId: ports.newId,
      random: ports.random ?? Math.random,
      log: (event) => ports.log({ ...event, teamId }),
    });
    const book: TeamBook = { leases, commits, asking: new Set() };
    books.set(teamId, book);
    return book;
  }

  async function holdAtAccount(account: LedgerAccount, book: TeamBook, size: QuotaSize): Promise<Hold> {
    const { leases } = book;
    const takeLocally = (): Hold | null => {
      const parts = leases.take(account.quotas, size, ports.now());
      return parts && openHold(account.teamId, size, parts);
    };
    const quotas = leases.of(account.quotas, ports.now());
    const waitUntilMs = ports.now() + OPENING_LIMIT_MS;
    for (let other = openingOf(quotas); other !== null && ports.now() < waitUntilMs; other = openingOf(quotas)) {
      await settledOpening(other, waitUntilMs - ports.now());
      const hold = takeLocally();
      if (hold !== null) return hold;
    }
    const refused = leases.refusalOf(account.quotas, size, ports.now());
    if (refused !== null) throw errorOf(refused, size);
    let end: WishEnd = { outcome: 'stale' };
    for (let asks = 1, refusals = 0; asks <= OPEN_ASKS_MAX && refusals < REFUSALS_MAX; asks += 1) {
      const wish = leases.wish(account.quotas, size, ports.newId, ports.now());
      end = await askFor(account.teamId, book, wish);
      if (end.outcome === 'granted') return openHold(account.teamId, size, wish.parts);
      if (end.outcome === 'refused') {
        refusals += 1;
        // What others ask for hides what is left until they are answered.
        if (refusals < REFUSALS_MAX) await within(Promise.allSettled(book.asking), OPENING_LIMIT_MS).catch(() => undefined);
      }
      // What was granted to others meanwhile may leave enough for this one.
      const hold = takeLocally();
      if (hold !== null) return hold;
    }
    throw end.outcome === 'refused' ? errorOf(end, size) : unavailable();
  }

  function errorOf({ by, answer }: Refused, size: QuotaSize): GatewayError {
    return refusalOf(by.quota, answer.room, size, ports.now());
  }

  /** Asks the Account for what a wish lacks. */
  async function askFor(teamId: string, { leases, asking }: TeamBook, wish: Wish): Promise<WishEnd> {
    if (wish.sent.length === 0) return { outcome: 'granted' };
    const call = within(ports.account(teamId).open(asksOf(wish.sent)), OPEN_LIMIT_MS);
    const opened = wish.sent.map(({ leases: quota }) => quota).filter((quota) => quota.live(ports.now()) === null);
    for (const quota of opened) quota.opening = call;
    asking.add(call);
    try {
      return leases.conclude(wish, await call, ports.now());
    } catch (cause) {
      leases.conclude(wish, null, ports.now());
      ports.log({ event: 'account_unavailable', teamId });
      throw unavailable(cause);
    } finally {
      asking.delete(call);
      for (const quota of opened) if (quota.opening === call) quota.opening = null;
    }
  }

  async function findOnce(teamId: string, generationId: string): Promise<Receipt | null> {
    const pending = books.get(teamId)?.commits.find(generationId) ?? null;
    if (pending !== null) return pending;
    const batch = await within(ports.account(teamId).find(generationId), FIND_LIMIT_MS).catch(() => null);
    // The outbox lets go of a receipt only when D1 has it, so D1 is asked last.
    const waiting = batch === null ? null : findInRows(batch, generationId);
    return waiting ?? within(ports.readDirect(teamId, generationId), FIND_LIMIT_MS);
  }

  return {
    hold(account, size) {
      if (!isAmount(size.nanoUsd) || !isAmount(size.tokens)) throw new GatewayError('internal_error', 'The request could not be priced.');
      const book = bookOf(account.teamId);
      const parts = book.leases.take(account.quotas, size, ports.now());
      return parts === null ? holdAtAccount(account, book, size) : openHold(account.teamId, size, parts);
    },

    settle(hold, receipt) {
      if (hold.settlement !== null) return hold.settlement;
      const settled = capturable(receipt, hold.amountNanoUsd);
      // First what may throw: whoever settles a second time must find the hold as it was.
      const { durable, leads } = bookOf(hold.teamId).commits.add(settled);
      for (const { leases, lease, amount } of hold.parts) leases.settle(lease, amount, usedOf(leases.quota.unit, settled));
      hold.settlement = durable;
      hold.leads = leads;
      return durable;
    },

    release(hold) {
      if (hold.settlement !== null) return;
      hold.settlement = RELEASED;
      bookOf(hold.teamId).leases.giveBack(hold.parts);
    },

    standing: ({ teamId, quotas }) => bookOf(teamId).leases.standing(quotas, ports.now()),

    async find(teamId, generationId) {
      const madeAtMs = generationTimeMs(generationId);
      if (madeAtMs === null) return null;
      let receipt = await findOnce(teamId, generationId);
      if (receipt !== null || ports.now() - madeAtMs >= FRESH_MS) return receipt;
      for (const delayMs of FIND_AGAIN_AFTER_MS) {
        await pause(delayMs);
        receipt = await findOnce(teamId, generationId);
        if (receipt !== null) break;
      }
      return receipt;
    },
  };
}

function openHold(teamId: string, size: QuotaSize, parts: readonly HeldPart[]): Hold {
  return { teamId, amountNanoUsd: size.nanoUsd, parts, settlement: null, leads: false };
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0;
}

/** What a request has used up of a quota. Slots are free again. */
function usedOf(unit: QuotaUnit, { chargedNanoUsd, usage }: Receipt): number {
  switch (unit) {
    case 'nano_usd':
      return chargedNanoUsd;
    case 'tokens':
      return usage.promptTokens + usage.completionTokens;
    case 'requests':
      return 1;
    case 'slots':
      return 0;
  }
}

function asksOf(sent: readonly SentAsk[]): readonly LeaseAsk[] {
  return sent.map(({ ask }) => ask);
}

/** Finds another request's call for a lease that is wanted too. */
function openingOf(quotas: readonly QuotaLeases[]): { quota: QuotaLeases; call: Promise<unknown> } | null {
  for (const quota of quotas) if (quota.opening !== null) return { quota, call: quota.opening };
  return null;
}

/** Waits for another request's call. One that fails or stays silent, as its request may be gone, is waited for no longer. */
async function settledOpening({ quota, call }: { quota: QuotaLeases; call: Promise<unknown> }, limitMs: number): Promise<void> {
  await within(call, limitMs).catch(() => undefined);
  if (quota.opening === call) quota.opening = null;
}

function unavailable(cause?: unknown): GatewayError {
  return new GatewayError('ledger_unavailable', 'The ledger does not answer at the moment. Try again shortly.', { retryAfterS: 2, cause });
}

/** Makes room for new teams. A team with a running request stays, so the map is bounded by what the isolate serves at once. */
function forgetQuietTeams(books: Map<string, TeamBook>, nowMs: number): void {
  for (const [teamId, { commits, leases }] of books) {
    if (commits.isIdle && leases.isQuiet(nowMs)) books.delete(teamId);
  }
}
