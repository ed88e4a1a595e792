import { beforeEach, describe, expect, it } from 'vitest';
import type { PlanCandidate, PlanRecord } from '#schema/receipt';
import { minuteOfProbes, type ProbesContext } from '#src/jobs/probes';
import { encodePlan } from '#src/ledger/plan-text';
import { createEngine, type Call, type Traits } from '#test/src/nodes/probe/fake-engine';
import { reportOf } from '#test/src/nodes/probe/reports';
import { networkOf, openSupply, type Supply } from '#test/src/nodes/staged-supply';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';

const MINUTE_MS = 60_000;
/** Attempts that began before this long ago are counted. */
const COUNTED_AFTER_MS = 3 * MINUTE_MS;
const ORIGIN = 'https://203.1.1.1';

let supply: Supply;
let clock: ManualClock;
let told: unknown[];
let calls: Call[];

beforeEach(() => {
  supply = openSupply();
  clock = createManualClock();
  told = [];
});

async function minute(traits: Partial<Traits> = {}, over: Partial<ProbesContext> = {}): Promise<void> {
  const engine = createEngine(clock, traits);
  calls = engine.calls;
  const context = {
    db: supply.db,
    now: clock.now,
    random: () => 0.5,
    fetch: networkOf({ [ORIGIN]: engine.fetch }).fetch,
    secret: () => undefined,
    endpointKey: async () => null,
    allowedHosts: [],
    log: () => undefined,
    node: () => ({ fetch: engine.fetch, tell: async (frame: unknown) => void told.push(frame) }),
    ...over,
  } as unknown as ProbesContext;
  const running = minuteOfProbes(context, clock.now(), clock.timers);
  running.catch(() => undefined);
  await clock.pass(30_000);
  await running;
}

let receipts = 0;

/** What a plan has considered. `named`: what the caller has named. */
interface Choice {
  candidates: Record<string, readonly string[]>;
  named?: { only?: string[][]; order?: string[] };
}

/** The text that a receipt keeps of a plan, as the ledger writes it. */
function planOf({ candidates, named = {} }: Choice): string {
  const considered = Object.entries(candidates).map(([endpointId, gates], place) => ({ endpointId, gates, rank: place }) as PlanCandidate);
  const inputs = { policy: named, models: ['m'], roll: 0, home: null, readings: [], facts: {} };
  return JSON.stringify(encodePlan({ candidates: considered, rejections: [], inputs, facts: {} } as unknown as PlanRecord));
}

/** Routing has let it in, and could have chosen somebody else. */
const freely = (endpointId: string): Choice => ({ candidates: { [endpointId]: [], rival: [] } });

/** Books a request that an endpoint has served. */
function served(
  endpointId: string,
  {
    agoMs = 10 * MINUTE_MS,
    outcome = 'completed',
    role = 'first' as string,
    teamId = 'shop',
    receiptId = `r${++receipts}`,
    attemptIndex = 0,
    choice = freely(endpointId),
  } = {},
): void {
  const startedAtMs = clock.now() - agoMs;
  if (attemptIndex === 0) {
    supply.insert('receipts', {
      id: receiptId,
      team_id: teamId,
      key_id: 'k',
      policy: 'balanced',
      policy_version: 1,
      created_at_ms: startedAtMs,
      api: 'chat',
      stream: 0,
      state: 'completed',
      requested_model: 'm',
      model: 'm',
      usage_source: 'reported',
      prompt_tokens: 1,
      completion_tokens: 1,
      reasoning_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      overhead_ms: 0,
      total_ms: 5,
      charged_nano_usd: 0,
      absorbed_nano_usd: 0,
      held_nano_usd: 0,
      batch_id: 'b',
      plan: planOf(choice),
    });
  }
  supply.insert('attempts', {
    receipt_id: receiptId,
    attempt_index: attemptIndex,
    endpoint_id: endpointId,
    provider_id: 'selfhosted',
    supply: 'selfhosted',
    started_at_ms: startedAtMs,
    duration_ms: 5,
    outcome,
    prompt_tokens: 1,
    completion_tokens: 1,
    cost_nano_usd: 0,
    role,
  });
}

const completionsOf = (id: string) => supply.rows(`select clean_completions as n from operators where id = '${id}'`)[0]?.['n'];

describe('clean completions', () => {
  beforeEach(() => {
    supply.operator('op', { countedToMs: clock.now() - 60 * MINUTE_MS });
    supply.endpoint('a', { state: 'probation', nextProbeAtMs: Infinity });
    supply.endpoint('b', { state: 'probation', nextProbeAtMs: Infinity });
  });

  it('are what all endpoints of an operator have completed for clients', async () => {
    served('a');
    served('b');
    served('a', { outcome: 'failed' });
    served('a', { role: 'canary' });
    served('elsewhere');
    await minute();
    expect(completionsOf('op')).toBe(2);
  });

  it('count each request once, however often the job runs, and whatever was tried for it', async () => {
    served('a', { receiptId: 'one' });
    served('b', { receiptId: 'one', attemptIndex: 1, role: 'resume' });
    await minute();
    await minute();
    expect(completionsOf('op')).toBe(1);
  });

  it('count what arrives late once it has had time to', async () => {
    served('a', { agoMs: COUNTED_AFTER_MS - 1_000 });
    await minute();
    expect(completionsOf('op')).toBe(0);
    await clock.pass(MINUTE_MS);
    await minute();
    expect(completionsOf('op')).toBe(1);
  });

  it('of an operator’s own team are no reference', async () => {
    supply.exec("update operators set team_id = 'shop'");
    served('a');
    served('a', { teamId: 'others' });
    await minute();
    expect(completionsOf('op')).toBe(1);
  });

  it.each<[string, Choice]>([
    ['the caller allows it alone', { candidates: { a: [], rival: [] }, named: { only: [['rival', 'a']] } }],
    ['the caller wants it first', { candidates: { a: [], rival: [] }, named: { order: ['a'] } }],
    ['there was nobody else', { candidates: { a: [] } }],
    ['there were only its operator’s own', { candidates: { a: [], b: [] } }],
    ['it was beyond its share', { candidates: { rival: [], a: ['stage'] } }],
    ['nobody knows why', { candidates: {} }],
  ])('R6: are none where nobody but its operator may have chosen it: %s', async (_, choice) => {
    served('a', { choice });
    served('a', { choice: freely('a') });
    await minute();
    expect(completionsOf('op')).toBe(1);
  });

  it('count all the same once an operator is past its probation, or is named for another endpoint', async () => {
    supply.exec('update operators set clean_completions = 1000');
    served('a', { choice: { candidates: { a: [] } } });
    await minute();
    expect(completionsOf('op')).toBe(1001);
    supply.exec('update operators set clean_completions = 0, counted_to_ms = 0');
    served('b', { choice: { candidates: { b: [], rival: [] }, named: { order: ['a'] } } });
    await minute();
    expect(completionsOf('op')).toBe(1);
  });

  it('make a new catalogue only where somebody’s share of the traffic grows', async () => {
    for (let n = 0; n < 49; n++) served('a');
    await minute();
    expect(supply.catalogueVersion()).toBe('one');
    served('b', { agoMs: COUNTED_AFTER_MS });
    await clock.pass(MINUTE_MS);
    await minute();
    expect(completionsOf('op')).toBe(50);
    expect(supply.catalogueVersion()).toMatch(/^one\+/);
  });

  it('end the probation of all endpoints at a thousand', async () => {
    supply.exec('update operators set clean_completions = 999');
    served('a');
    await minute();
    expect([await supply.stateOf('a'), await supply.stateOf('b')]).toEqual(['active', 'active']);
    expect(supply.historyOf('a')).toEqual(['active']);
  });

  it('of others end nobody’s probation', async () => {
    supply.operator('other', { cleanCompletions: 5_000 });
    await minute();
    expect(await supply.stateOf('a')).toBe('probation');
  });
});

describe('endpoints that are due, of many operators', () => {
  it('R6: two hundred of one that hang keep no other waiting', async () => {
    supply.operator('flood');
    supply.operator('op');
    for (let n = 0; n < 200; n++)
      supply.endpoint(`flood-${n}`, { operatorId: 'flood', state: 'active', provenAtMs: 1, url: 'https://203.2.2.2/v1', nextProbeAtMs: n });
    supply.endpoint('honest', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1`, nextProbeAtMs: clock.now() });
    await minute();
    expect((await supply.read('honest')).registration.seen?.completed).toBe(true);
  });
});

describe('nodes that are lost', () => {
  beforeEach(() => supply.operator('op'));

  it('leave the traffic after a minute, and not before', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() - MINUTE_MS + 1, linkedAtMs: 5 });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(await supply.stateOf('rig')).toBe('active');
    await minute();
    expect((await supply.read('rig')).registration).toMatchObject({ state: 'pending', reason: 'its node is not connected' });
    expect(supply.catalogueVersion()).not.toBe('one');
  });

  it('are found however many were lost and seen to before', async () => {
    for (let n = 0; n < 150; n++) supply.node(`gone-${n}`, { linkedAtMs: 1, unlinkedAtMs: clock.now() - 30 * MINUTE_MS });
    supply.node('rig', { linkedAtMs: 1, unlinkedAtMs: clock.now() - 2 * MINUTE_MS });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(await supply.stateOf('rig')).toBe('pending');
  });

  it('stay where they have come back', async () => {
    supply.node('rig', { unlinkedAtMs: clock.now() - 5 * MINUTE_MS, linkedAtMs: clock.now() - 4 * MINUTE_MS });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(await supply.stateOf('rig')).toBe('active');
  });
});

describe('endpoints that are due', () => {
  beforeEach(() => supply.operator('op'));

  it('are looked at, the others are not', async () => {
    supply.endpoint('due', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1` });
    supply.endpoint('later', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1`, nextProbeAtMs: clock.now() + MINUTE_MS });
    await minute();
    expect((await supply.read('due')).registration.seen?.completed).toBe(true);
    expect((await supply.read('later')).registration.seen).toBeNull();
  });

  it('of a node are reached over its link, and the node is told where they stand now', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    await minute();
    expect(calls.length).toBeGreaterThan(0);
    expect(told).toEqual([{ endpoint: 'rig', state: 'probation', reason: null }]);
  });

  it('that hang do not keep others from being looked at', async () => {
    for (const id of ['h1', 'h2', 'h3'])
      supply.endpoint(id, { state: 'active', provenAtMs: 1, url: 'https://203.1.1.2/v1', seen: reportOf() });
    supply.endpoint('well', { state: 'probing', provenAtMs: 1, url: `${ORIGIN}/v1`, nextProbeAtMs: clock.now() });
    const engine = createEngine(clock);
    const silent = (() => new Promise(() => undefined)) as unknown as typeof fetch;
    await minute({}, { fetch: networkOf({ [ORIGIN]: engine.fetch, 'https://203.1.1.2': silent }).fetch });
    expect(await supply.stateOf('well')).toBe('active');
    expect((await supply.read('h1')).registration).toMatchObject({ state: 'active', failedProbes: 1 });
  });

  it('one that breaks the look itself does not stop the minute', async () => {
    supply.endpoint('broken', { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1`, keySecret: 'endpoint:broken' });
    supply.endpoint('well', { state: 'probing', provenAtMs: 1, url: `${ORIGIN}/v1` });
    const endpointKey = () => Promise.reject(new Error('sealed'));
    await minute({}, { endpointKey });
    expect(await supply.stateOf('well')).toBe('active');
  });

  it('R6: a crowd of them takes no run longer than its time: the rest waits for the next one', async () => {
    for (let n = 0; n < 60; n++) supply.endpoint(`e${n}`, { state: 'active', provenAtMs: 1, url: `${ORIGIN}/v1` });
    await minute({ prefillMs: 1_000, tokenMs: 100 });
    const seen = supply.rows('select endpoint_id from registrations where seen is not null').length;
    expect(seen).toBeGreaterThan(3);
    expect(seen).toBeLessThan(30);
  });
});
