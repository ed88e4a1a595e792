/** A worker with nothing but the ledger in it, and switches that break what it stands on. */
import { Account, type AccountEnv } from '#src/ledger/account';
import type { CommitBatch, LeaseAnswer, LeaseAsk } from '#src/ledger/account-port';
import { createLedger, type Ledger, type LedgerAccount } from '#src/ledger/ledger';
import { newGenerationId } from '#src/ledger/generation-id';
import { readReceipt, writeBatches } from '#src/ledger/store';
import { GatewayError } from '#schema/error';
import type { Quota } from '#schema/quota';
import { sampleAttempt, sampleReceipt } from '#test/src/ledger/sample-receipt';

interface Env extends AccountEnv {
  ACCOUNT: DurableObjectNamespace<TestAccount>;
}

const faults = { database: 'up', flush: 'up', clockOffsetMs: 0, flushes: 0, events: [] as string[] };

/** The Account with a database that can fail and a clock that can be moved. */
export class TestAccount extends Account {
  constructor(state: DurableObjectState, env: AccountEnv) {
    super(state, { DB: breakable(env.DB) });
  }

  protected override now(): number {
    return Date.now() + faults.clockOffsetMs;
  }

  protected override log(event: Record<string, unknown>): void {
    faults.events.push(String(event['event']));
  }

  override async flush(batch: CommitBatch, asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[]> {
    faults.flushes += 1;
    if (faults.flush === 'down') throw new Error('down');
    const answers = await super.flush(batch, asks);
    if (faults.flush === 'answer_lost_once') {
      faults.flush = 'up';
      throw new Error('lost');
    }
    return answers;
  }
}

function breakable(db: D1Database): D1Database {
  return {
    prepare: (query: string) => db.prepare(query),
    batch: async (statements: D1PreparedStatement[]) => {
      if (faults.database === 'down') throw new Error('D1_ERROR: down');
      const result = await db.batch(statements);
      if (faults.database === 'answer_lost') throw new Error('D1_ERROR: lost');
      return result;
    },
  } as unknown as D1Database;
}

let ledger: Ledger | null = null;

function ledgerOf(env: Env): Ledger {
  ledger ??= createLedger({
    account: (teamId) => env.ACCOUNT.getByName(teamId),
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
    log: (event) => void faults.events.push(event.event),
    writeDirect: (batch) => writeBatches(env.DB, [batch], Date.now()),
    readDirect: (teamId, id) => readReceipt(env.DB, teamId, id),
  });
  return ledger;
}

/** Where each query parameter bounds a quota. */
const QUOTAS = [
  { name: 'budget', id: 'team/nano_usd', unit: 'nano_usd', period: 'total' },
  { name: 'requests', id: 'team/requests', unit: 'requests', period: 'minute' },
  { name: 'tokens', id: 'team/tokens', unit: 'tokens', period: 'minute' },
  { name: 'slots', id: 'team/slots', unit: 'slots', period: 'total' },
  { name: 'keyBudget', id: 'key:key-1/nano_usd', unit: 'nano_usd', period: 'total' },
] as const;

function accountOf(url: URL): LedgerAccount {
  const quotas = QUOTAS.flatMap(({ name, id, unit, period }): Quota[] => {
    const amount = url.searchParams.get(name);
    if (amount === null) return name === 'budget' ? [{ id, unit, caps: [] }] : [];
    return [{ id, unit, caps: [{ amount: Number(amount), period }] }];
  });
  return { teamId: url.searchParams.get('team') ?? 't1', quotas };
}

async function spend(url: URL, env: Env, context: ExecutionContext): Promise<Response> {
  const number = (name: string) => Number(url.searchParams.get(name) ?? '0');
  const account = accountOf(url);
  const { teamId } = account;
  const held = ledgerOf(env).hold(account, { nanoUsd: number('hold'), tokens: number('ask') });
  const local = !(held instanceof Promise);
  const hold = await held;
  const cost = number('cost');
  const receipt = sampleReceipt({
    id: newGenerationId(Date.now(), Math.random),
    teamId,
    createdAtMs: Date.now(),
    chargedNanoUsd: number('charge'),
    heldNanoUsd: number('hold'),
    attempts: [
      sampleAttempt({
        outcome: 'failed',
        providerId: 'chutes',
        costNanoUsd: 0,
        failure: { kind: 'connect', origin: 'local', detail: 'refused' },
      }),
      sampleAttempt({ index: 1, costNanoUsd: cost }),
    ],
  });
  const durable = ledgerOf(env).settle(hold, receipt);
  context.waitUntil(durable);
  if (url.searchParams.has('wait')) await durable;
  return Response.json({ id: receipt.id, local });
}

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const url = new URL(request.url);
    const teamId = url.searchParams.get('team') ?? 't1';
    try {
      switch (url.pathname) {
        case '/spend':
          return await spend(url, env, context);
        case '/find':
          return Response.json(await ledgerOf(env).find(teamId, url.searchParams.get('id') ?? ''));
        case '/find-elsewhere':
          ledger = null;
          return Response.json(await ledgerOf(env).find(teamId, url.searchParams.get('id') ?? ''));
        case '/status': {
          const status = await env.ACCOUNT.getByName(teamId).status();
          return Response.json({ ...status, keys: Object.fromEntries(status.keys) });
        }
        case '/reconcile':
          return Response.json(await env.ACCOUNT.getByName(teamId).reconcile());
        case '/top-up': {
          const [id, nanoUsd] = [url.searchParams.get('id') ?? '', Number(url.searchParams.get('amount'))];
          return Response.json(await env.ACCOUNT.getByName(teamId).topUp({ id, nanoUsd, note: null }));
        }
        case '/fault':
          for (const [name, value] of url.searchParams) Object.assign(faults, { [name]: name === 'clockOffsetMs' ? Number(value) : value });
          return Response.json(faults);
        case '/forget':
          ledger = null;
          return Response.json({});
        default:
          return new Response('bare');
      }
    } catch (error) {
      const status = error instanceof GatewayError ? error.status : 500;
      return Response.json({ error: String(error) }, { status });
    }
  },
};
