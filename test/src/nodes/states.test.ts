import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REGISTRATION_STATES, TRANSITIONS, type RegistrationState } from '#schema/registration';
import { begin, isServing, mayMove, move } from '#src/nodes/states';

const STEP = { reason: 'why', actor: 'key-1', atMs: 1_000 };
const standing = (state: RegistrationState, reason: string | null = null) => ({ endpointId: 'e', state, reason });
const anyState = fc.constantFrom(...REGISTRATION_STATES);

/** What the house promises of states, said without its table. */
const FORBIDDEN: readonly [from: RegistrationState, to: RegistrationState][] = [
  ['pending', 'probation'],
  ['pending', 'active'],
  ['pending', 'draining'],
  ['quarantined', 'probation'],
  ['quarantined', 'active'],
  ['quarantined', 'draining'],
  ['retired', 'probing'],
  ['retired', 'probation'],
  ['retired', 'active'],
  ['retired', 'draining'],
];

describe('moving an endpoint', () => {
  it.each(FORBIDDEN)('never leads from %s to %s', (from, to) => {
    expect([mayMove(from, to), move(standing(from), to, STEP)]).toEqual([false, null]);
  });

  it.each(REGISTRATION_STATES.flatMap((from) => TRANSITIONS[from].map((to) => [from, to] as const)))(
    'leads from %s to %s with a line',
    (from, to) => {
      expect(move(standing(from, 'before'), to, STEP)).toEqual({
        changes: { state: to, reason: 'why', sinceMs: 1_000 },
        event: { endpointId: 'e', atMs: 1_000, fromState: from, toState: to, reason: 'why', actor: 'key-1' },
      });
    },
  );

  it('to where it stands writes no line, keeps since when, and keeps its reason unless there is another', () => {
    expect(move(standing('active', 'before'), 'active', { ...STEP, reason: null })).toEqual({
      changes: { state: 'active', reason: 'before' },
      event: null,
    });
    expect(move(standing('active', 'before'), 'active', STEP)?.changes.reason).toBe('why');
  });

  it('I12: bounds reasons', () => {
    expect(move(standing('active'), 'quarantined', { ...STEP, reason: 'x'.repeat(10_000) })?.event?.reason).toHaveLength(500);
  });

  it('random walks keep a history without gaps, reach traffic only by way of a probe, and come out of retirement only as pending or in quarantine', () => {
    fc.assert(
      fc.property(fc.array(anyState, { maxLength: 60 }), (wishes) => {
        let state: RegistrationState = 'pending';
        const history = [begin('e', state, STEP)];
        for (const [place, to] of wishes.entries()) {
          const moved = move(standing(state), to, { ...STEP, atMs: place });
          if (moved === null) continue;
          if (moved.event !== null) history.push(moved.event);
          state = moved.changes.state;
        }
        for (const [place, { fromState, toState }] of history.entries()) {
          expect(fromState).toBe(history[place - 1]?.toState ?? null);
          if (fromState === 'retired') expect(['pending', 'quarantined']).toContain(toState);
          if (isServing(toState) && fromState !== null && !isServing(fromState)) expect(['probing', 'draining']).toContain(fromState);
        }
        // Whoever is in traffic, or has drained out of it, was probed since it was last pending, retired or quarantined.
        const since = history.findLastIndex(({ toState }) => ['pending', 'retired', 'quarantined'].includes(toState));
        if (isServing(state) || state === 'draining') expect(history.slice(since).some(({ toState }) => toState === 'probing')).toBe(true);
      }),
    );
  });
});
