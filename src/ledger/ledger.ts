/** The ledger of one isolate: holds under leases, captures by group commit. Knows the Account and D1 only through ports. */
import { within } from '#schema/within';
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import type { AccountPort, Budget, CommitBatch, LeaseAnswer, LeaseAsk } from './account-port.ts';
import { generationTimeMs } from './generation-id.ts';
import { GroupCommit, type CommitEvent } from './group-commit.ts';
import { capturable } from './price.ts';
import { findInRows } from './rows.ts';
import { TeamLeases, type LocalLease } from './team-leases.ts';
import { pause } from './pause.ts';

const OPEN_LIMIT_MS = 3000;
/** A hold that is refused asks once more: by then the slack of its neighbours has come in. */
const OPEN_ASKS = 2;
/** How long a request waits for another's call before it makes its own. */
const OPENING_LIMIT_MS = 1000;
const FIND_LIMIT_MS = 3000;
/** Younger receipts may still be on their way from another isolate. */
const FRESH_MS = 10_000;
const FIND_AGAIN_AFTER_MS = [100, 200, 400, 500, 700];
const TEAM_LIMIT = 1000;

/** Whose money it is, as admission knows it. */
export interface LedgerTeam {
  id: string;
  budget: Budget | null;
}

/** The worst case of one request, reserved. Resolves once: by `settle` or by `release`. */
export interface Hold {
  readonly teamId: string;
  readonly amountNanoUsd: number;
  readonly lease: LocalLease;
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
   * Reserves the worst case. Local and instant inside a live lease; otherwise one call to the team's Account.
   * Throws GatewayError `insufficient_budget`, or `ledger_unavailable` when the Account does not answer within 3 s.
   */
  hold(team: LedgerTeam, amountNanoUsd: number): Hold | Promise<Hold>;
  /**
   * Captures what the receipt charges, at most what was held, and releases the rest; once, however often it is called.
   * Resolves when the group commit that carries the receipt is durable. Give it to `waitUntil` when the hold `leads`; the others ride along.
   */
  settle(hold: Hold, receipt: Receipt): Promise<void>;
  /** Gives back a hold that no receipt will follow. Does nothing after `settle`. */
  release(hold: Hold): void;
  /** Finds a receipt in this isolate's memory, the Account's outbox or D1, whichever has it. */
  find(teamId: string, generationId: string): Promise<Receipt | null>;
}

/** What this isolate keeps of one team. */
interface TeamBook {
  readonly leases: TeamLeases;
  readonly commits: GroupCommit;
  budget: Budget | null;
  /** The call that opens a lease; everyone without one waits for it. */
  opening: Promise<unknown> | null;
}

const RELEASED = Promise.resolve();

/** Creates the ledger; one per isolate. */
export function createLedger(ports: LedgerPorts): Ledger {
  const books = new Map<string, TeamBook>();

  function bookOf(teamId: string): TeamBook {
    const known = books.get(teamId);
    if (known !== undefined) return known;
    if (books.size >= TEAM_LIMIT) forgetQuietTeams(books);
    const leases = new TeamLeases();
    const commits = new GroupCommit({
      flush: async (batch) => {
        // While a lease is being opened there is nothing to renew.
        const lease = book.opening === null ? leases.renewable(ports.newId, book.budget, ports.now()) : null;
        const ask = { leaseId: lease?.id ?? null, needNanoUsd: 0, budget: book.budget, reports: leases.report(ports.now()) };
        leases.apply(await ports.account(teamId).flush(batch, ask), ask.reports);
      },
      writeDirect: ports.writeDirect,
      now: ports.now,
      newId: ports.newId,
      random: ports.random ?? Math.random,
      log: (event) => ports.log({ ...event, teamId }),
    });
    const book: TeamBook = { leases, commits, budget: null, opening: null };
    books.set(teamId, book);
    return book;
  }

  async function holdAtAccount(team: LedgerTeam, book: TeamBook, amountNanoUsd: number): Promise<Hold> {
    while (book.opening !== null) {
      await settledOpening(book);
      const lease = book.leases.take(amountNanoUsd, team.budget, ports.now());
      if (lease !== null) return openHold(team.id, amountNanoUsd, lease);
    }
    for (let asks = 1; asks <= OPEN_ASKS; asks += 1) {
      const lease = await growLease(team, book, amountNanoUsd);
      if (lease !== null) return openHold(team.id, amountNanoUsd, lease);
      // What was granted to others meanwhile may leave enough for this one.
      const shared = book.leases.take(amountNanoUsd, team.budget, ports.now());
      if (shared !== null) return openHold(team.id, amountNanoUsd, shared);
    }
    throw insufficientBudget(team);
  }

  /** Asks the Account for what a hold lacks. Returns the lease with the hold booked, or null when the budget has no room. */
  async function growLease(team: LedgerTeam, book: TeamBook, amountNanoUsd: number): Promise<LocalLease | null> {
    const live = book.leases.live(team.budget, ports.now());
    const lease = live ?? book.leases.start(ports.newId(), team.budget, ports.now());
    // Booked before the answer, so that holds which arrive meanwhile ask for their own share.
    lease.heldNanoUsd += amountNanoUsd;
    let granted = false;
    const missing = lease.heldNanoUsd + lease.capturedNanoUsd - lease.grantedNanoUsd;
    const call = ask(team, book, { leaseId: lease.id, needNanoUsd: Math.min(amountNanoUsd, missing) });
    if (live === null) book.opening = call;
    try {
      granted = !(await call).refused;
      return granted ? lease : null;
    } finally {
      if (!granted) lease.heldNanoUsd -= amountNanoUsd;
      if (book.opening === call) book.opening = null;
    }
  }

  async function ask(team: LedgerTeam, book: TeamBook, wish: Pick<LeaseAsk, 'leaseId' | 'needNanoUsd'>): Promise<LeaseAnswer> {
    const reports = book.leases.report(ports.now());
    try {
      const answer = await within(ports.account(team.id).open({ ...wish, budget: team.budget, reports }), OPEN_LIMIT_MS);
      book.leases.apply(answer, reports);
      return answer;
    } catch (cause) {
      ports.log({ event: 'account_unavailable', teamId: team.id });
      throw new GatewayError('ledger_unavailable', 'The ledger does not answer at the moment. Try again shortly.', {
        retryAfterS: 2,
        cause,
      });
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
    hold(team, amountNanoUsd) {
      if (!Number.isSafeInteger(amountNanoUsd) || amountNanoUsd < 0) {
        throw new GatewayError('internal_error', 'The request could not be priced.');
      }
      const book = bookOf(team.id);
      book.budget = team.budget;
      const lease = book.leases.take(amountNanoUsd, team.budget, ports.now());
      return lease === null ? holdAtAccount(team, book, amountNanoUsd) : openHold(team.id, amountNanoUsd, lease);
    },

    settle(hold, receipt) {
      if (hold.settlement !== null) return hold.settlement;
      const settled = capturable(receipt, hold.amountNanoUsd);
      const book = bookOf(hold.teamId);
      book.leases.settle(hold.lease, hold.amountNanoUsd, settled.chargedNanoUsd);
      const { durable, leads } = book.commits.add(settled);
      hold.settlement = durable;
      hold.leads = leads;
      return durable;
    },

    release(hold) {
      if (hold.settlement !== null) return;
      hold.settlement = RELEASED;
      bookOf(hold.teamId).leases.settle(hold.lease, hold.amountNanoUsd, 0);
    },

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

function openHold(teamId: string, amountNanoUsd: number, lease: LocalLease): Hold {
  return { teamId, amountNanoUsd, lease, settlement: null, leads: false };
}

/** Waits for another request's call. Throws what it threw; one that stays silent, as its request may be gone, is waited for no longer. */
async function settledOpening(book: TeamBook): Promise<void> {
  const opening = book.opening;
  if (opening === null) return;
  try {
    await within(opening, OPENING_LIMIT_MS);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
  } finally {
    if (book.opening === opening) book.opening = null;
  }
}

function insufficientBudget(team: LedgerTeam): GatewayError {
  const per = team.budget === null || team.budget.period === 'total' ? '' : ` for this ${team.budget.period}`;
  return new GatewayError(
    'insufficient_budget',
    `The team's budget${per} does not cover the worst case of this request. Ask for less (such as fewer output tokens), choose a cheaper model, or raise the budget.`,
  );
}

/** Makes room for new teams. A team with a running request stays, so the map is bounded by what the isolate serves at once. */
function forgetQuietTeams(books: Map<string, TeamBook>): void {
  for (const [teamId, book] of books) {
    if (book.opening === null && book.commits.isIdle && book.leases.isQuiet()) books.delete(teamId);
  }
}
