import { beforeEach, describe, expect, it } from 'vitest';
import type { PlanCandidate, PlanRecord } from '#schema/receipt';
import { encodePlan } from '#src/ledger/plan-text';
import type { Supply } from '#test/src/nodes/staged-supply';
import type { ManualClock } from '#test/support/manual-clock';
import { MINUTE_MS, openProbedMinutes, type ProbedMinutes } from './probed-minutes.ts';

/** Attempts that began before this long ago are counted. */
const COUNTED_AFTER_MS = 3 * MINUTE_MS;

let supply: Supply;
let clock: ManualClock;
let told: unknown[];
let minute: ProbedMinutes['minute'];

beforeEach(() => {
  ({ supply, clock, told, minute } = openProbedMinutes());
});

let receipts = 0;

/** What a plan has considered. `named`: what the caller has named. */
interface Choice {
  candidates: Record<string, readonly string[]>;
  named?: { only?: string[][]; order?: string[] };
  /** Endpoints that a filter has excluded, and why. */
  rejected?: Record<string, string>;
}

/** The text that a receipt keeps of a plan, as the ledger writes it. */
function planOf({ candidates, named = {}, rejected = {} }: Choice): string {
  const considered = Object.entries(candidates).map(([endpointId, gates], place) => ({ endpointId, gates, rank: place }) as PlanCandidate);
  const inputs = { policy: named, models: ['m'], roll: 0, home: null, readings: [], facts: {} };
  const rejections = Object.entries(rejected).map(([endpointId, reason]) => ({
    endpointId,
    provider: 'p',
    supply: 'selfhosted',
    filter: 'H7',
    reason,
  }));
  return JSON.stringify(encodePlan({ candidates: considered, rejections, inputs, facts: {} } as unknown as PlanRecord));
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
    api = 'chat',
    completionTokens = 1,
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
      api,
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
    completion_tokens: completionTokens,
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

  it('are not answers in which nothing was said, but for operations that have no text', async () => {
    served('a', { completionTokens: 0 });
    served('a', { completionTokens: 0, api: 'messages' });
    served('a', { completionTokens: 0, api: 'embeddings' });
    await minute();
    expect(completionsOf('op')).toBe(1);
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
    ['the caller has ruled everybody else out', { candidates: { a: ['stage'] }, rejected: { rival: 'is on the ignore list' } }],
    ['the caller has ruled all but its operator’s own out', { candidates: { a: [], b: [] }, rejected: { rival: 'is on the ignore list' } }],
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
    served('a', { choice: { candidates: { rival: [], a: ['stage'] } } });
    await minute();
    expect(completionsOf('op')).toBe(1001);
    supply.exec('update operators set clean_completions = 0, counted_to_ms = 0');
    served('b', { choice: { candidates: { b: [], rival: [] }, named: { order: ['a'] } } });
    await minute();
    expect(completionsOf('op')).toBe(1);
  });

  it('R6: count where nobody else serves the model: the only supply of a model is not held at a hundredth for ever', async () => {
    served('a', { choice: { candidates: { a: ['stage'] } } });
    served('a', { choice: { candidates: { a: [], b: [] } } });
    served('a', { choice: { candidates: { a: ['stage'] }, rejected: { abroad: 'no key in this deployment' } } });
    await minute();
    expect(completionsOf('op')).toBe(3);
  });

  describe('of a deployment with several teams', () => {
    const team = (id: string) => supply.insert('teams', { id, created_at_ms: 1 });
    const order = (teamId: string, count: number) => {
      for (let n = 0; n < count; n++) served('a', { teamId });
    };
    const customersOf = () =>
      JSON.parse(String(supply.rows("select customers from operators where id = 'op'")[0]?.['customers'])) as object;

    it('R6: one team brings nobody further than half the way to a stage, however much it orders', async () => {
      team('shop');
      team('press');
      served('elsewhere', { teamId: 'press' });
      order('shop', 120);
      await minute();
      expect(completionsOf('op')).toBe(25);
      expect(customersOf()).toEqual({ shop: 120 });
      await clock.pass(20 * MINUTE_MS);
      order('press', 24);
      await minute();
      expect(completionsOf('op')).toBe(49);
      served('a', { teamId: 'press', agoMs: COUNTED_AFTER_MS });
      await clock.pass(MINUTE_MS);
      await minute();
      // What the first has ordered beyond its half counts towards the next stage.
      expect(completionsOf('op')).toBe(125);
    });

    it('R6: teams that have an operator themselves count for nobody', async () => {
      for (const id of ['shop', 'press', 'ring']) team(id);
      supply.operator('friend', { teamId: 'ring' });
      order('ring', 60);
      order('shop', 10);
      await minute();
      expect(completionsOf('op')).toBe(10);
    });

    it('the only team that can ask is believed alone', async () => {
      for (const id of ['shop', 'ring']) team(id);
      supply.operator('friend', { teamId: 'ring' });
      order('shop', 60);
      await minute();
      expect(completionsOf('op')).toBe(60);
    });

    it('the only team that has asked for anything in a month is believed alone, and others that come keep what was counted as it is', async () => {
      team('shop');
      team('press');
      served('elsewhere', { teamId: 'press', agoMs: 31 * 24 * 60 * MINUTE_MS });
      order('shop', 60);
      await minute();
      expect(completionsOf('op')).toBe(60);
      served('elsewhere', { teamId: 'press' });
      for (let minutes = 0; minutes < 3; minutes++) {
        await clock.pass(MINUTE_MS);
        await minute();
        expect(completionsOf('op')).toBe(60);
      }
    });

    it('take nothing back that was counted before anybody noted for whom', async () => {
      team('shop');
      team('press');
      supply.exec('update operators set clean_completions = 180');
      order('shop', 30);
      await minute();
      expect(completionsOf('op')).toBe(210);
    });
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

  it('end the probation of a node’s endpoint, and the node hears of it', async () => {
    supply.exec('update operators set clean_completions = 1000');
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', state: 'probation', provenAtMs: 1, nextProbeAtMs: Infinity });
    await minute();
    expect(told).toEqual([{ endpoint: 'rig', state: 'active', reason: null }]);
  });

  it('of others end nobody’s probation', async () => {
    supply.operator('other', { cleanCompletions: 5_000 });
    await minute();
    expect(await supply.stateOf('a')).toBe('probation');
  });
});
