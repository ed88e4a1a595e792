/** The ledger of one isolate: holds under leases, captures by group commit. Knows the Account and D1 only through ports. */
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import type { AccountPort, Budget, CommitBatch, LeaseAnswer, LeaseAsk } from './account-port.ts';
import { generationTimeMs } from './generation-id.ts';
import { GroupCommit, type CommitEvent } from './group-commit.ts';
import { capturable } from './price.ts';
import { TeamLeases, type LocalLease } from './team-leases.ts';
import { pause, timeBox } from './time-box.ts';

const OPEN_LIMIT_MS = 3000;
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
   * Resolves when the group commit that carries the receipt is durable: give it to `waitUntil`.
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
    if (books.size >= TEAM_LIMIT) forgetIdleTeams(books, ports.now());
    const leases = new TeamLeases();
    const commits = new GroupCommit({
      flush: async (batch) => {
        const lease = leases.renewable(ports.newId, book.budget, ports.now());
        const ask = { leaseId: lease?.id ?? null, needNanoUsd: 0, budget: book.budget, reports: leases.report() };
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
    if (book.opening !== null) {
      await book.opening.catch(() => undefined);
      const lease = book.leases.take(amountNanoUsd, team.budget, ports.now());
      if (lease !== null) return openHold(team.id, amountNanoUsd, lease);
    }
    const live = book.leases.live(team.budget, ports.now());
    const lease = live ?? book.leases.start(ports.newId(), team.budget, ports.now());
    // Booked before the answer, so that holds which arrive meanwhile ask for their own share.
    lease.heldNanoUsd += amountNanoUsd;
    const missing = lease.heldNanoUsd + lease.capturedNanoUsd - lease.grantedNanoUsd;
    const call = ask(team, book, { leaseId: lease.id, needNanoUsd: Math.min(amountNanoUsd, missing) });
    if (live === null) book.opening = call;
    try {
      if ((await call).refused) throw insufficientBudget(team);
      return openHold(team.id, amountNanoUsd, lease);
    } catch (error) {
      lease.heldNanoUsd -= amountNanoUsd;
      throw error;
    } finally {
      if (book.opening === call) book.opening = null;
    }
  }

  async function ask(team: LedgerTeam, book: TeamBook, wish: Pick<LeaseAsk, 'leaseId' | 'needNanoUsd'>): Promise<LeaseAnswer> {
    const reports = book.leases.report();
    try {
      const answer = await timeBox(ports.account(team.id).open({ ...wish, budget: team.budget, reports }), OPEN_LIMIT_MS);
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

  async function findAtAccount(teamId: string, generationId: string): Promise<Receipt | null> {
    const json = await timeBox(ports.account(teamId).find(generationId), FIND_LIMIT_MS).catch(() => null);
    return json === null ? null : (JSON.parse(json) as Receipt);
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
      hold.settlement = book.commits.add(settled);
      return hold.settlement;
    },

    release(hold) {
      if (hold.settlement !== null) return;
      hold.settlement = RELEASED;
      bookOf(hold.teamId).leases.settle(hold.lease, hold.amountNanoUsd, 0);
    },

    async find(teamId, generationId) {
      const madeAtMs = generationTimeMs(generationId);
      if (madeAtMs === null) return null;
      const stored =
        books.get(teamId)?.commits.find(generationId) ??
        (await findAtAccount(teamId, generationId)) ??
        (await ports.readDirect(teamId, generationId));
      if (stored !== null || ports.now() - madeAtMs >= FRESH_MS) return stored;
      for (const delayMs of FIND_AGAIN_AFTER_MS) {
        await pause(delayMs);
        const late = books.get(teamId)?.commits.find(generationId) ?? (await findAtAccount(teamId, generationId));
        if (late !== null) return late;
      }
      return ports.readDirect(teamId, generationId);
    },
  };
}

function openHold(teamId: string, amountNanoUsd: number, lease: LocalLease): Hold {
  return { teamId, amountNanoUsd, lease, settlement: null };
}

function insufficientBudget(team: LedgerTeam): GatewayError {
  const per = team.budget === null || team.budget.period === 'total' ? '' : ` for this ${team.budget.period}`;
  return new GatewayError(
    'insufficient_budget',
    `The team's budget${per} does not cover the worst case of this request. Lower max_tokens, choose a cheaper model, or raise the budget.`,
  );
}

/** Makes room for a new team: those with nothing at stake go; if all are busy, the map outgrows its bound until they are not. */
function forgetIdleTeams(books: Map<string, TeamBook>, nowMs: number): void {
  for (const [teamId, book] of books) {
    if (book.opening === null && book.commits.isIdle && book.leases.isIdle(nowMs)) books.delete(teamId);
  }
}
