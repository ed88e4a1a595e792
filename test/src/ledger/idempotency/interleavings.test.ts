/**
 * Two requests under one `Idempotency-Key`, in every order of their steps, with a crash at every point and a minute of silence after it;
 * and in random orders with silence anywhere, in which calls time out and arrive late. The real isolate's side over the real tickets.
 */
import { describe, expect, it, vi } from 'vitest';
import { GatewayError } from '#schema/error';
import type { Receipt } from '#schema/receipt';
import { createOnce, type OnceRequest } from '#src/ledger/idempotency/once';
import { wasSpent } from '#src/ledger/idempotency/spent';
import { HELD_MS } from '#src/ledger/idempotency/terms';
import type { TicketPort } from '#src/ledger/idempotency/ticket-port';
import { Tickets } from '#src/ledger/idempotency/tickets';
import { seededRandom } from '#test/support/random-chunks';
import { SEED } from '#test/support/seed';
import { createNodeSql } from '../node-sql.ts';
import { sampleReceipt } from '../sample-receipt.ts';

// Real sealing leaves the thread; here every step is over when nothing is left to do at once.
vi.mock(import('#src/ledger/idempotency/seal'), async (original) => ({
  ...(await original()),
  seal: (bytes) => Promise.resolve(bytes),
  unseal: (bytes) => Promise.resolve(new Uint8Array(bytes)),
}));

const SILENCE_MS = HELD_MS + 1000;

/** One request in one isolate. */
interface Party {
  name: string;
  alive: boolean;
  /** What its client got; null while it waits, and for ever when its isolate died. */
  outcome: { status: number; generationId: string | null; mayRepeat: boolean } | null;
}

/** A step that waits to be taken. */
interface Step {
  party: Party;
  label: string;
  take(): void;
}

/** What befalls a step: it is taken, taken with nobody left to hear of it, or lost with its isolate; or all are silent for a minute. */
type Move = { step: Step; fate: 'taken' | 'taken_unheard' | 'lost' } | 'silence';

interface Scenario {
  /** Whether the first run fails upstream, which charges nothing. */
  firstRunFails: boolean;
  /** Whether receipts reach D1 at once, or stay in the Account's outbox. */
  drained: boolean;
}

/** A world with one Account, one ledger and two requests, moved step by step. */
class World {
  readonly parties: Party[] = [];
  readonly receipts = new Map<string, Receipt>();
  readonly history: string[] = [];
  runs = 0;
  /** Receipts that died with their isolate. */
  receiptsLost = 0;
  #steps: Step[] = [];
  #nowMs = 1_800_000_000_000;
  #timers = new Set<{ dueAtMs: number; fire(): void }>();
  readonly #scenario: Scenario;
  readonly #tickets: Tickets;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const storage = { sql: createNodeSql(), transactionSync: <T>(work: () => T) => work() };
    this.#tickets = new Tickets(storage, (id) => {
      const waiting = scenario.drained ? undefined : this.receipts.get(id);
      return waiting !== undefined && wasSpent(waiting);
    });
  }

  /** The moves that are possible now. */
  moves(crashesLeft: number, silencesLeft: number): Move[] {
    const moves: Move[] = this.#steps.flatMap((step) =>
      crashesLeft > 0 ? fatesOf(step).map((fate) => ({ step, fate })) : [{ step, fate: 'taken' as const }],
    );
    if (silencesLeft > 0 && moves.length > 0) moves.push('silence');
    return moves;
  }

  async make(move: Move): Promise<void> {
    if (move === 'silence') return this.silence();
    const { step, fate } = move;
    this.history.push(`${step.party.name} ${step.label} ${fate}`);
    if (fate !== 'taken') step.party.alive = false;
    const [left, gone] = [true, false].map((alive) => this.#steps.filter((other) => other !== step && other.party.alive === alive));
    this.#steps = left ?? [];
    this.receiptsLost += [...(gone ?? []), ...(fate === 'lost' ? [step] : [])].filter(({ label }) => label === 'commit').length;
    if (fate !== 'lost') step.take();
    await quiet();
  }

  /** A minute passes. A living isolate commits its receipts in far less. */
  async silence(): Promise<void> {
    this.history.push('silence');
    for (const step of this.#steps.filter(({ label }) => label === 'commit')) await this.make({ step, fate: 'taken' });
    const untilMs = this.#nowMs + SILENCE_MS;
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueAtMs }) => dueAtMs <= untilMs).sort((one, other) => one.dueAtMs - other.dueAtMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      next.fire();
      await quiet();
    }
    this.#nowMs = untilMs;
  }

  /** Sends the request once more, from an isolate of its own. */
  async send(name: string): Promise<Party> {
    const party: Party = { name, alive: true, outcome: null };
    this.parties.push(party);
    const once = createOnce({
      account: () => this.#port(party),
      find: (_, id) => this.#step(party, 'find', () => this.receipts.get(id) ?? null),
      now: () => this.#nowMs,
      timers: {
        set: (fire, delayMs) => {
          const timer = { dueAtMs: this.#nowMs + delayMs, fire: () => party.alive && fire() };
          this.#timers.add(timer);
          return timer;
        },
        clear: (timer) => void this.#timers.delete(timer as { dueAtMs: number; fire(): void }),
      },
    });
    void this.#answer(party, once);
    await quiet();
    return party;
  }

  async #answer(party: Party, once: ReturnType<typeof createOnce>): Promise<void> {
    const generationId = `gen-${party.name}`;
    try {
      const response = await once.serve(requestOf(generationId), async (run) => {
        const fails = this.#scenario.firstRunFails && this.runs === 0;
        this.runs += 1;
        await this.#step(party, 'upstream', () => undefined);
        const receipt = sampleReceipt({ id: generationId, state: fails ? 'failed' : 'completed', chargedNanoUsd: fails ? 0 : 5 });
        run.settle(receipt);
        void this.#step(party, 'commit', () => this.receipts.set(generationId, receipt));
        if (fails) throw new GatewayError('upstream_failed', 'No.');
        return new Response(generationId, { headers: { 'x-generation-id': generationId } });
      });
      const answeredBy = await response.text();
      party.outcome = { status: response.status, generationId: answeredBy, mayRepeat: false };
    } catch (failure) {
      if (!(failure instanceof GatewayError)) throw failure;
      party.outcome = {
        status: failure.status,
        generationId: failure.generationId,
        mayRepeat: failure.headers['x-should-retry'] !== 'false',
      };
    }
  }

  #port(party: Party): TicketPort {
    return {
      takeTicket: (ask) => this.#step(party, 'take', () => this.#tickets.take(ask, this.#nowMs)),
      renewTicket: async (ticket) => this.#tickets.renew(ticket, this.#nowMs),
      keepAnswer: (ticket, sealed) => this.#step(party, 'keep', () => this.#tickets.keep(ticket, sealed)),
      returnTicket: (ticket) => this.#step(party, 'return', () => this.#tickets.giveBack(ticket)),
    };
  }

  #step<T>(party: Party, label: string, effect: () => T): Promise<T> {
    return new Promise((resolve) => {
      const take = () => {
        const value = effect();
        if (party.alive) resolve(value);
      };
      this.#steps.push({ party, label, take });
    });
  }
}

function requestOf(generationId: string): OnceRequest {
  return {
    teamId: 't1',
    keyId: 'k1',
    token: 'sk-hr-one-0000000000000000000',
    url: 'http://router.test/v1/chat/completions',
    headers: new Headers({ 'idempotency-key': 'order-1' }),
    body: { model: 'test/echo-1' },
    generationId,
    signal: new AbortController().signal,
    answerHeaders: {},
    waitUntil: () => undefined,
  };
}

/** A step that changes nothing for others is lost whether it was taken or not. */
function fatesOf({ label }: Step): ('taken' | 'taken_unheard' | 'lost')[] {
  return ['take', 'keep', 'return'].includes(label) ? ['taken', 'taken_unheard', 'lost'] : ['taken', 'lost'];
}

/** Lets everything happen that needs no time. */
function quiet(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

interface Telling {
  /** Isolates that die at most. */
  crashes: number;
  /** Picks one of `count` moves. */
  choose(place: number, count: number): number;
}

/** Tells one history. Returns how many choices there were at each point. */
async function tell(scenario: Scenario, { crashes, choose }: Telling): Promise<{ world: World; choices: number[] }> {
  const world = new World(scenario);
  const choices: number[] = [];
  let crashesLeft = crashes;
  let silencesLeft = 1;
  await world.send('a');
  await world.send('b');
  for (;;) {
    const moves = world.moves(crashesLeft, crashesLeft > 0 ? 0 : silencesLeft);
    if (moves.length === 0) return { world, choices };
    const move = moves[choose(choices.length, moves.length)] as Move;
    choices.push(moves.length);
    if (move === 'silence') silencesLeft -= 1;
    else if (move.fate !== 'taken') crashesLeft -= 1;
    await world.make(move);
  }
}

/** The prefix of the next history, depth first; null after the last. */
function nextPrefix(prefix: readonly number[], choices: readonly number[]): number[] | null {
  const taken = choices.map((_, place) => prefix[place] ?? 0);
  for (let place = choices.length - 1; place >= 0; place -= 1) {
    const choice = (taken[place] ?? 0) + 1;
    if (choice < (choices[place] ?? 0)) return [...taken.slice(0, place), choice];
  }
  return null;
}

/** Repeats the request until it hears something final, with silence between: what a client does that wants its answer. */
async function insist(world: World): Promise<Party> {
  for (let tries = 1; tries <= 5; tries++) {
    const party = await world.send(`later-${tries}`);
    for (let move = world.moves(0, 0)[0]; move !== undefined; move = world.moves(0, 0)[0]) await world.make(move);
    if (party.outcome !== null && !party.outcome.mayRepeat) return party;
    await world.silence();
  }
  throw new Error('nothing final was heard');
}

/** Ends a history and checks what must hold of every one. */
async function conclude(world: World): Promise<void> {
  await world.silence();
  const last = await insist(world);
  const story = world.history.join(', ');
  const charged = [...world.receipts.values()].filter(({ chargedNanoUsd }) => chargedNanoUsd > 0).map(({ id }) => id);
  const answers = world.parties.filter(({ outcome }) => outcome?.status === 200).map(({ outcome }) => outcome?.generationId);
  const heard = [...new Set([...answers, last.outcome?.generationId])];
  // An isolate that dies within the moment between an answer and its group commit loses a charge, never makes a second one.
  if (charged.length === 0) expect([story, world.receiptsLost]).toEqual([story, 1]);
  expect([story, heard, charged.length === 0 ? heard : charged]).toEqual([story, [heard[0]], [heard[0]]]);
}

describe('M9: two requests under one key are charged once, and who asks again hears of that one', () => {
  it.each([
    { firstRunFails: false, drained: true },
    { firstRunFails: true, drained: false },
  ])('in every order, with a crash at every point: %o', { timeout: 120_000 }, async (scenario) => {
    let histories = 0;
    for (let prefix: number[] | null = []; prefix !== null;) {
      const taken: readonly number[] = prefix;
      const { world, choices } = await tell(scenario, { crashes: 1, choose: (place) => taken[place] ?? 0 });
      await conclude(world);
      histories += 1;
      prefix = nextPrefix(prefix, choices);
    }
    expect(histories).toBeGreaterThan(1000);
  });

  it.each([
    { firstRunFails: false, drained: false },
    { firstRunFails: true, drained: true },
  ])('in random orders, with calls that time out and arrive late: %o', async (scenario) => {
    const random = seededRandom(SEED);
    for (let histories = 0; histories < 300; histories++) {
      const { world } = await tell(scenario, { crashes: histories % 2, choose: (_, count) => Math.floor(random() * count) });
      await conclude(world);
    }
  });
});
