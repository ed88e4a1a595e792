import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogSnapshot, Offer } from '#schema/catalog';
import type { Receipt } from '#schema/receipt';
import { RUNTIME_TIMERS } from '#schema/timers';
import { boardNameOf } from '#src/health/board-name';
import { BOARD_PROTOCOL, JOBS_ISOLATE_ID, type BoardAnswer, type BoardReport, type SharedEndpoint } from '#src/health/board-port';
import { sendCanaries, type CanariesPorts } from '#src/jobs/canaries';
import { freezeClock, NOW_MS, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { quietOf, sharedOf } from './shared-endpoint.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

const EU = boardNameOf('eu', 'lab/model');
const US = boardNameOf('na', 'lab/model');

function snapshotOf(offers: readonly Offer[]): CatalogSnapshot {
  const models = new Map(
    [...Map.groupBy(offers, ({ modelId }) => modelId)].map(([id, offers]) => [id, { model: { id } as never, offers }] as const),
  );
  return { version: 'v1', takenAtMs: NOW_MS, models, aliases: new Map(), providers: new Map() };
}

interface Scene {
  offers: readonly Offer[];
  /** What each board knows; a board that is absent never answers. */
  boards: Record<string, readonly SharedEndpoint[]>;
  known?: string[];
  over?: Partial<CanariesPorts>;
}

/** Runs the probes over boards that write down what they are told, and upstreams that fail at once. */
function scene({ offers, boards, known = Object.keys(boards), over }: Scene) {
  const reports: BoardReport[] = [];
  const calls: string[] = [];
  const booked: Receipt[] = [];
  const lines: Record<string, unknown>[] = [];
  const flying = { now: 0, most: 0 };
  const answerOf = (name: string): BoardAnswer => ({
    protocol: BOARD_PROTOCOL,
    activeIsolates: 1,
    endpoints: [...(boards[name] ?? [])],
    operators: [],
    leaseMs: 5000,
  });
  const ports: CanariesPorts = {
    async call({ offer }) {
      calls.push(offer.endpointId);
      flying.most = Math.max(flying.most, ++flying.now);
      await settleDown();
      flying.now--;
      return { failure: { kind: 'upstream_error', origin: 'external', status: 500, detail: 'boom' } };
    },
    now: Date.now,
    timers: RUNTIME_TIMERS,
    random: () => 0.5,
    secret: () => undefined,
    knownBoards: async () => known,
    board: (name) => ({
      exchange: (report) => {
        reports.push(report);
        return boards[name] === undefined ? new Promise(() => undefined) : Promise.resolve(answerOf(name));
      },
    }),
    snapshot: () => snapshotOf(offers),
    isCallable: () => true,
    readRecent: async () => ({ askedAtMs: new Map(), spentNanoUsd: 0 }),
    book: async (receipt) => void booked.push(receipt),
    log: (event) => lines.push(event),
    ...over,
  };
  return { run: () => sendCanaries(ports), reports, calls, booked, lines, flying };
}

describe('active probes', () => {
  it('ask who is due, tell the board what they saw, and book every attempt', async () => {
    const { run, reports, calls, booked } = scene({
      offers: [offerOf('busy'), offerOf('quiet'), offerOf('half')],
      boards: {
        [EU]: [sharedOf('busy'), quietOf('quiet'), sharedOf('half', { breaker: { state: 'half_open', trips: 1, probe: 'taken' } })],
      },
    });
    await run();
    expect(calls).toEqual(['half', 'quiet']);
    expect(reports).toMatchObject([
      { isolateId: JOBS_ISOLATE_ID, board: EU, endpoints: [] },
      {
        isolateId: JOBS_ISOLATE_ID,
        endpoints: [
          { endpointId: 'half', inFlight: 0, observations: [{ kind: 'failed', isProbe: true }] },
          { endpointId: 'quiet', inFlight: 0, observations: [{ kind: 'failed', isProbe: false }] },
        ],
      },
    ]);
    expect(JSON.stringify(reports)).not.toContain('headrace:canaries');
    expect(booked.map(({ endpointId, state, attempts }) => [endpointId, state, attempts.length])).toEqual([
      ['half', 'failed', 1],
      ['quiet', 'failed', 1],
    ]);
  });

  it('reach boards only for the models that they stand for', async () => {
    const { run, calls } = scene({
      offers: [offerOf('quiet'), offerOf('elsewhere', { modelId: 'lab/other-group-2' })],
      boards: {
        [EU]: [sharedOf('seen'), quietOf('quiet'), sharedOf('elsewhere', { breaker: { state: 'half_open', trips: 1, probe: 'yours' } })],
      },
    });
    expect(boardNameOf('eu', 'lab/other-group-2')).not.toBe(EU);
    await run();
    expect(calls).toEqual([]);
  });

  it('ask an endpoint once however many regions would know', async () => {
    const seen = [sharedOf('busy'), quietOf('quiet')];
    const { run, calls } = scene({ offers: [offerOf('busy'), offerOf('quiet')], boards: { [EU]: seen, [US]: seen } });
    await run();
    expect(calls).toEqual(['quiet']);
  });

  it('ask thirty in a run at most, six at a time', async () => {
    const offers = [offerOf('busy'), ...Array.from({ length: 60 }, (_, place) => offerOf(`e${place}`))];
    const { run, calls, flying } = scene({ offers, boards: { [EU]: [sharedOf('busy')] } });
    await run();
    expect(calls).toHaveLength(30);
    expect(flying.most).toBe(6);
  });

  it('begin nothing after twelve seconds', async () => {
    const offers = [offerOf('busy'), ...Array.from({ length: 30 }, (_, place) => offerOf(`e${place}`))];
    const { run, booked } = scene({
      offers,
      boards: { [EU]: [sharedOf('busy')] },
      over: {
        call: ({ watchdog }) =>
          new Promise((resolve) => {
            watchdog.signal.addEventListener('abort', () => {
              const failure = watchdog.verdict();
              if (failure) resolve({ failure });
            });
          }),
      },
    });
    const ran = run();
    await pass(20_000);
    await ran;
    // Rounds at 0, 5 and 10 s.
    expect(booked).toHaveLength(18);
  });

  it('spend no more than a quarter of a dollar a day: what ten minutes may spend is spent', async () => {
    const offers = [offerOf('busy'), offerOf('quiet')];
    const boards = { [EU]: [sharedOf('busy'), quietOf('quiet')] };
    const windowNanoUsd = 250_000_000 / 144;
    const after = async (spentNanoUsd: number) => {
      const readRecent = async (sinceMs: number) => {
        expect(sinceMs).toBe(NOW_MS - 600_000);
        return { askedAtMs: new Map<string, number>(), spentNanoUsd };
      };
      const { run, calls } = scene({ offers, boards, over: { readRecent } });
      await run();
      return calls.length;
    };
    expect(await after(windowNanoUsd - 20_000)).toBe(1);
    expect(await after(windowNanoUsd - 10_000)).toBe(0);
    expect(await after(2 * windowNanoUsd)).toBe(0);
  });

  it('stay at home when it cannot be told what has been spent', async () => {
    const { run, calls } = scene({
      offers: [offerOf('busy'), offerOf('quiet')],
      boards: { [EU]: [sharedOf('busy'), quietOf('quiet')] },
      over: { readRecent: () => Promise.reject(new Error('down')) },
    });
    await expect(run()).rejects.toThrow('down');
    expect(calls).toEqual([]);
  });

  it('R13: a board that hangs holds up nobody else', async () => {
    const { run, calls, lines } = scene({
      offers: [offerOf('busy'), offerOf('quiet')],
      boards: { [EU]: [sharedOf('busy'), quietOf('quiet')] },
      known: [US, EU],
    });
    const ran = run();
    await pass(1500);
    await ran;
    expect(calls).toEqual(['quiet']);
    expect(lines).toEqual([{ event: 'board_unavailable', job: 'canaries', cause: 'TimeBoxClosed' }]);
  });

  it('R16: the answer of another version is no answer', async () => {
    const { run, calls } = scene({
      offers: [offerOf('busy'), offerOf('quiet')],
      boards: { [EU]: [] },
      over: {
        board: () => ({
          exchange: async () => ({
            protocol: BOARD_PROTOCOL + 1,
            activeIsolates: 1,
            endpoints: [sharedOf('busy'), quietOf('quiet')],
            operators: [],
            leaseMs: 0,
          }),
        }),
      },
    });
    await run();
    expect(calls).toEqual([]);
  });

  it('where no board has had traffic nothing is read', async () => {
    const { run } = scene({ offers: [], boards: {}, over: { readRecent: () => Promise.reject(new Error('read')) } });
    await expect(run()).resolves.toBeUndefined();
  });
});
