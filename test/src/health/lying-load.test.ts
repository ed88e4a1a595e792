import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHealth, type Health } from '#src/health/health';
import { plan, type Candidate } from '#src/routing/plan';
import { SEED } from '#test/support/seed';
import { entryOf, factsOf, inputOf, NOW_MS, offerOf } from '../routing/fleet.ts';

const RIG = offerOf({ endpointId: 'rig', supply: 'selfhosted', capacity: { poolTokens: 40_000, maxSequences: 8 } });
const FACTS = factsOf({ promptTokens: 1_000, maxTokens: 500 });

/** What happens next at a node: time passes, a request comes with its own pace, one ends, or the node says something of itself. */
const anyEvent = fc.oneof(
  // Readings are kept for a second, and a word ends one early: less than that would compare an older one with a newer.
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1_000, max: 6_000 }) }),
  fc.record({ kind: fc.constant('begin' as const), ttftMs: fc.integer({ min: 20, max: 9_000 }) }),
  fc.record({ kind: fc.constant('end' as const), fails: fc.boolean() }),
  fc.record({
    kind: fc.constant('say' as const),
    load: fc.oneof(
      fc.constant({ running: 0, waiting: 0, kvUsage: 0 }),
      fc.constant({ running: 1e9, waiting: 1, kvUsage: 1 }),
      fc.record({ running: fc.nat(30), waiting: fc.nat(30), kvUsage: fc.option(fc.double({ min: 0, max: 1, noNaN: true })) }),
    ),
  }),
);

describe('a node that says what it likes of its load', () => {
  it('R8: never looks better than one that is silent, whatever it says in which order: our count and what requests measured stand below', () => {
    const property = fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      let nowMs = NOW_MS;
      const [liar, silent] = [0, 1].map(() => createHealth({ now: () => nowMs, random: () => 0.5 })) as [Health, Health];
      const flights: ReturnType<Health['begin']>[][] = [];
      for (const event of events) {
        if (event.kind === 'wait') nowMs += event.ms;
        if (event.kind === 'begin') {
          const begun = [liar, silent].map((health) => health.begin(RIG, FACTS));
          for (const flight of begun) flight.firstToken(event.ttftMs);
          flights.push(begun);
        }
        if (event.kind === 'say') {
          flights.at(-1)?.[0]?.nodeLoad(event.load);
        }
        if (event.kind === 'end') {
          const failure = { kind: 'upstream_error', origin: 'external', detail: 'boom' } as const;
          for (const flight of flights.shift() ?? [])
            flight.end({
              outcome: event.fails ? 'failed' : 'completed',
              failure: event.fails ? failure : null,
              completionTokens: 40,
              durationMs: 900,
            });
        }
        const [said, unsaid] = [liar, silent].map((health) => candidateOf(health, nowMs));
        // What is silent and full is full whatever it might say.
        if (said === undefined) continue;
        if (unsaid === undefined) throw new Error('its words have opened what our own count had shut');
        expect(said.ttftMs).toBeGreaterThanOrEqual(unsaid.ttftMs);
        expect(said.tpotMs).toBe(unsaid.tpotMs);
        expect(said.failureProbability).toBe(unsaid.failureProbability);
        expect(said.gates).toEqual(expect.arrayContaining(unsaid.gates));
        expect(said.index ?? Number.NaN).toBeGreaterThanOrEqual(unsaid.index ?? Number.NaN);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });
});

function candidateOf(health: Health, nowMs: number): Candidate | undefined {
  const view = health.view(nowMs, FACTS.teamId);
  return plan({ ...inputOf([RIG], { facts: FACTS, health: view, nowMs }), entries: [entryOf([RIG])] }).candidates[0];
}
