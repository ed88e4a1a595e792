import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { createOnce, type OnceRequest } from '#src/ledger/idempotency/once';
import type { SoleRun } from '#src/ledger/idempotency/sole-run';
import { CALL_LIMIT_MS, HELD_MS } from '#src/ledger/idempotency/terms';
import type { TicketPort } from '#src/ledger/idempotency/ticket-port';
import { Tickets } from '#src/ledger/idempotency/tickets';
import { caught } from '#test/support/caught';
import { createManualClock } from '#test/support/manual-clock';
import { createNodeSql } from '../node-sql.ts';

/** One isolate over real tickets; parts of the Account can be replaced by ones that fail. */
function open({ account = {}, find = async () => null }: { account?: Partial<TicketPort>; find?: () => Promise<null> } = {}) {
  const clock = createManualClock();
  const tickets = new Tickets({ sql: createNodeSql(), transactionSync: (work) => work() }, () => false);
  const port: TicketPort = {
    takeTicket: async (ask) => tickets.take(ask, clock.now()),
    renewTicket: async (ticket) => tickets.renew(ticket, clock.now()),
    keepAnswer: async (ticket, sealed) => tickets.keep(ticket, sealed),
    returnTicket: async (ticket) => tickets.giveBack(ticket),
    ...account,
  };
  const once = createOnce({ account: () => port, find, now: clock.now, timers: clock.timers });
  let runs = 0;
  const background: Promise<unknown>[] = [];
  const leaving = new AbortController();
  const request = (more: Partial<OnceRequest> = {}): OnceRequest => ({
    teamId: 't1',
    keyId: 'k1',
    token: 'sk-hr-one-0000000000000000000',
    url: 'http://router.test/v1/chat/completions',
    headers: new Headers({ 'idempotency-key': 'order-1' }),
    body: { model: 'test/echo-1' },
    generationId: `gen-${++runs}`,
    signal: leaving.signal,
    answerHeaders: {},
    waitUntil: (work) => void background.push(work),
    ...more,
  });
  return { clock, once, request, leaving, background, port };
}

/** A run that completes at once. */
async function complete(run: SoleRun): Promise<Response> {
  run.settle({ state: 'completed', chargedNanoUsd: 5 });
  return new Response(run.generationId);
}

const down = (): Promise<never> => Promise.reject(new Error('down'));

describe('without its Account', () => {
  it.each([
    ['fails', down],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('a request does not run, and may be repeated: the Account %s', async (_, takeTicket) => {
    const { once, request, clock } = open({ account: { takeTicket } });
    let started = false;
    const serving = caught(once.serve(request(), async (run) => ((started = true), complete(run))));
    await clock.passUntil(serving, CALL_LIMIT_MS);
    expect(await serving).toMatchObject({ code: 'ledger_unavailable', status: 503, retryAfterS: 2 });
    expect(started).toBe(false);
  });

  it('a request that has run is answered all the same, within the time of one call', async () => {
    const told = Promise.withResolvers<void>();
    const keepAnswer = () => (told.resolve(), new Promise<never>(() => undefined));
    const { once, request, clock } = open({ account: { keepAnswer } });
    let answered = false;
    const serving = once.serve(request(), complete).then((response) => ((answered = true), response));
    await told.promise;
    await clock.pass(CALL_LIMIT_MS);
    expect(answered).toBe(true);
    expect(await (await serving).text()).toBe('gen-1');
  });

  it('for a moment, the end of a run is told again', async () => {
    let failures = 2;
    const broken = open();
    const { once, request, clock, background } = open({
      account: { keepAnswer: (ticket, sealed) => (failures-- > 0 ? down() : broken.port.keepAnswer(ticket, sealed)) },
    });
    const serving = once.serve(request(), complete);
    await clock.passUntil(serving, CALL_LIMIT_MS);
    await clock.passUntil(Promise.all(background), CALL_LIMIT_MS);
    expect(failures).toBe(-1);
  });

  it('a run that cannot renew is stopped before its ticket is another’s', async () => {
    const { once, request, clock } = open({ account: { renewTicket: down } });
    const started = Promise.withResolvers<void>();
    const failed = caught(
      once.serve(request(), (run) => {
        started.resolve();
        return new Promise<never>((_, reject) =>
          run.signal.addEventListener('abort', () => reject(new GatewayError('internal_error', 'Stopped.'))),
        );
      }),
    );
    await started.promise;
    await clock.pass(HELD_MS - 1);
    expect(await failed).toMatchObject({ message: 'Stopped.' });
  });
});

describe('without its ledger', () => {
  it('a request whose first run is lost does not run again', async () => {
    const { once, request, clock } = open({ find: down, account: { renewTicket: () => new Promise<never>(() => undefined) } });
    const started = Promise.withResolvers<void>();
    void once.serve(request(), () => (started.resolve(), new Promise<never>(() => undefined)));
    await started.promise;
    await clock.pass(HELD_MS);
    expect(await caught(once.serve(request(), complete))).toMatchObject({ code: 'ledger_unavailable' });
  });
});

describe('an answer', () => {
  it('that was kept is given to its repeat, which does not run', async () => {
    const { once, request } = open();
    await once.serve(request(), complete);
    const repeat = await once.serve(request(), () => Promise.reject(new Error('ran twice')));
    expect([await repeat.text(), repeat.headers.get('x-headrace-replayed')]).toEqual(['gen-1', 'true']);
  });

  it('of a run that failed after it was charged is not made again', async () => {
    const { once, request } = open();
    const failed = once.serve(request(), async (run) => {
      run.settle({ state: 'interrupted', chargedNanoUsd: 5 });
      throw new Error('broke');
    });
    await expect(failed).rejects.toThrow('broke');
    expect(await caught(once.serve(request(), complete))).toMatchObject({
      code: 'conflict',
      generationId: 'gen-1',
      metadata: { generation_id: 'gen-1' },
      headers: { 'x-should-retry': 'false' },
    });
  });

  it('that the team’s own provider key paid for is not made again', async () => {
    const { once, request } = open();
    const failed = once.serve(request(), async (run) => {
      run.settle({ state: 'interrupted', chargedNanoUsd: 0, byokNanoUsd: 5 });
      throw new Error('broke');
    });
    await expect(failed).rejects.toThrow('broke');
    expect(await caught(once.serve(request(), complete))).toMatchObject({ code: 'conflict' });
  });
});

describe('the Idempotency-Key', () => {
  it.each([
    ['empty', ''],
    ['longer than 255 characters', 'k'.repeat(256)],
    ['not printable', 'a\tb'],
    ['not ASCII', 'caf\u00e9'],
  ])('is refused when %s', async (_, key) => {
    const { once, request } = open();
    const failure = await caught(once.serve(request({ headers: new Headers({ 'idempotency-key': key }) }), complete));
    expect(failure).toMatchObject({ code: 'invalid_request', param: 'Idempotency-Key' });
  });

  it('may hold anything that can be printed', async () => {
    const { once, request } = open();
    const headers = new Headers({ 'idempotency-key': '"8e03 978e" ~' + 'k'.repeat(242) });
    expect((await once.serve(request({ headers }), complete)).status).toBe(200);
  });
});
