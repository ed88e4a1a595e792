/** Teams as their managers see them: budget, credits and keys, with what is spent and held right now where the Account objects answer. */
import type { AuditEntry } from '#schema/audit';
import { periodEndMs, type BudgetPeriod } from '#schema/budget-period';
import { GatewayError } from '#schema/error';
import { toUsd } from '#schema/money';
import { createOrUnavailable } from '#schema/or-unavailable';
import { within } from '#schema/within';
import type { AccountStanding, Accounts, Credit, CreditBalance, TopUpOutcome } from './standing.ts';
import { isTeam, NOTHING_CAPTURED, readStandings, readTeams, recordCredit, type TeamWithKeys } from './team-store.ts';

export interface TeamsPorts {
  db: D1Database;
  accounts: Accounts;
  now(): number;
  log(event: Record<string, unknown>): void;
}

/** A team's budget in the period that runs. Amounts in nano-USD. */
export interface TeamBudget {
  nanoUsd: number;
  period: BudgetPeriod;
  spentNanoUsd: number;
  /** Held by requests under way, or kept ready for them; null where only D1 could be asked. */
  heldNanoUsd: number | null;
  /** Null for a budget that never begins anew. */
  resetsAtMs: number | null;
}

export interface TeamView {
  id: string;
  policy: string | null;
  limits: unknown;
  budget: TeamBudget | null;
  credits: CreditBalance | null;
  keys: number;
  /** `account`: as the team's Account object knows it now. `journal`: as D1 does, seconds later. */
  source: 'account' | 'journal';
  asOfMs: number;
}

/** What a key has captured against its own budget. */
export interface KeySpending {
  id: string;
  teamId: string | null;
  budgetPeriod: string | null;
}

/** Every method throws GatewayError `ledger_unavailable` when D1 does not answer. */
export interface Teams {
  /** Lists teams by id, a page of at most 100; null means all teams. */
  list(teamId: string | null, offset: number): Promise<TeamView[]>;
  /** Finds one team. Throws GatewayError `not_found`, also for a team beyond the manager's own. */
  find(scope: string | null, id: string): Promise<TeamView>;
  /**
   * Pays into a team's prepaid balance, once for each id. Tells whether it was new, and how the team stands.
   * Throws GatewayError: `not_found` for no such team, `conflict` when the id was used for another amount, `ledger_unavailable`.
   */
  addCredit(credit: Credit, actor: string): Promise<{ added: boolean; team: TeamView }>;
  /** What keys have captured in the period of their budget, by key id, as far as their teams' Account objects answer; keys without budget are left out. */
  spentByKeys(keys: readonly KeySpending[]): Promise<ReadonlyMap<string, number>>;
}

/** Teams in one answer. */
const TEAMS_PAGE = 100;
const D1_LIMIT_MS = 5_000;
/** How long an answer waits for Account objects; what has not come by then is told from D1. */
const STANDING_LIMIT_MS = 1_500;
const TOP_UP_LIMIT_MS = 5_000;

/** Opens the teams of this deployment. */
export function createTeams({ db, accounts, now, log }: TeamsPorts): Teams {
  const ask = createOrUnavailable({ sentence: 'Teams cannot be read right now', event: 'teams_unavailable', timeoutMs: D1_LIMIT_MS, log });

  /** Asks Account objects all at once; those that are late or fail are absent. */
  async function standingsOf(teamIds: readonly string[]): Promise<Map<string, AccountStanding>> {
    const asked = teamIds.map(async (id) => {
      try {
        return [[id, await within(accounts.standing(id), STANDING_LIMIT_MS)] as const];
      } catch (failure) {
        log({ event: 'standing_unavailable', teamId: id, cause: failure instanceof Error ? failure.name : 'unknown' });
        return [];
      }
    });
    return new Map((await Promise.all(asked)).flat());
  }

  async function describe(rows: readonly TeamWithKeys[]): Promise<TeamView[]> {
    const live = await standingsOf(rows.map(({ team }) => team.id));
    const missing = rows.flatMap(({ team: { id } }) => (live.has(id) ? [] : [id]));
    const recorded = missing.length === 0 ? new Map() : await ask(readStandings(db, missing, now()));
    return rows.map((row) => {
      const standing = live.get(row.team.id);
      const { captured, credits } = standing ?? recorded.get(row.team.id) ?? { captured: NOTHING_CAPTURED, credits: null };
      return toView(row, { captured, credits, reservedNanoUsd: standing?.reservedNanoUsd ?? null }, now());
    });
  }

  async function find(scope: string | null, id: string): Promise<TeamView> {
    const isForeign = scope !== null && scope !== id;
    const rows = isForeign ? [] : await ask(readTeams(db, { teamId: id, offset: 0, limit: 1 }));
    return (await describe(rows))[0] ?? notFound();
  }

  async function topUp(credit: Credit): Promise<boolean> {
    let outcome: TopUpOutcome;
    try {
      outcome = await within(accounts.topUp(credit), TOP_UP_LIMIT_MS);
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'RangeError') throw tooMuch(cause);
      log({ event: 'top_up_unavailable', teamId: credit.teamId, cause: cause instanceof Error ? cause.name : 'unknown' });
      throw notWrittenDown(cause);
    }
    if (outcome === 'conflict')
      throw new GatewayError('conflict', 'A credit of this id was added with another amount; a new credit needs a new id.', {
        param: 'id',
      });
    return outcome === 'added';
  }

  return {
    list: async (teamId, offset) => describe(await ask(readTeams(db, { teamId, offset, limit: TEAMS_PAGE }))),
    find,

    async addCredit(credit, actor) {
      if (!(await ask(isTeam(db, credit.teamId)))) notFound('team');
      const added = await topUp(credit);
      // Also when it was there already: the first call may have ended before this row was written.
      await within(recordCredit(db, toAuditEntry(credit, actor, now())), D1_LIMIT_MS).catch((cause: unknown) => {
        log({ event: 'credit_not_audited', teamId: credit.teamId });
        throw notWrittenDown(cause);
      });
      return { added, team: await find(null, credit.teamId) };
    },

    async spentByKeys(keys) {
      const budgeted = keys.filter(({ budgetPeriod, teamId }) => budgetPeriod !== null && teamId !== null);
      const live = await standingsOf([...new Set(budgeted.map(({ teamId }) => teamId as string))]);
      return new Map(
        budgeted.flatMap(({ id, teamId, budgetPeriod }) => {
          const captured = live.get(teamId as string)?.keys.get(id);
          return captured === undefined ? [] : [[id, captured[budgetPeriod as BudgetPeriod]] as const];
        }),
      );
    },
  };
}

type Sums = Pick<AccountStanding, 'captured' | 'credits'> & { reservedNanoUsd: number | null };

function toView({ team, keys }: TeamWithKeys, { captured, credits, reservedNanoUsd }: Sums, nowMs: number): TeamView {
  const period = team.budgetPeriod as BudgetPeriod | null;
  const budget =
    team.budgetNanoUsd === null || period === null
      ? null
      : {
          nanoUsd: team.budgetNanoUsd,
          period,
          spentNanoUsd: captured[period],
          heldNanoUsd: reservedNanoUsd,
          resetsAtMs: periodEndMs(period, nowMs),
        };
  const source = reservedNanoUsd === null ? 'journal' : 'account';
  return { id: team.id, policy: team.policy, limits: team.limits, budget, credits, keys, source, asOfMs: nowMs };
}

/** One row for a credit however often it is sent. */
function toAuditEntry({ teamId, id, nanoUsd, note }: Credit, actor: string, atMs: number): AuditEntry {
  return {
    id: `credit:${teamId}:${id}`,
    atMs,
    actor,
    action: 'credits.add',
    object: `team:${teamId}`,
    fromVersion: null,
    toVersion: null,
    changes: {
      amount_usd: { from: null, to: toUsd(nanoUsd) },
      id: { from: null, to: id },
      ...(note !== null && { note: { from: null, to: note } }),
    },
  };
}

/** The Account object adds no more than it can count exactly. */
function tooMuch(cause: Error): GatewayError {
  const sentence = 'what the team has paid would add up to more than can be counted exactly, about 9 million USD';
  return new GatewayError('invalid_request', `Invalid value for 'amount_usd': ${sentence}.`, { param: 'amount_usd', cause });
}

function notWrittenDown(cause: unknown): GatewayError {
  return new GatewayError(
    'ledger_unavailable',
    'It is not known whether the credit was added. Send it again with the same id: it adds once.',
    {
      retryAfterS: 2,
      cause,
    },
  );
}

function notFound(param = 'id'): never {
  throw new GatewayError('not_found', 'No team of that id was found.', { param });
}
