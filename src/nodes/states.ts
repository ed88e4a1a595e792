/** The way of a registered endpoint into traffic and out of it. Pure; the table of what may follow what stands in the schema. */
import { SERVING_STATES, TRANSITIONS, type RegistrationState } from '#schema/registration';

/** Where an endpoint stands, as far as moving it needs to know. */
export interface Standing {
  endpointId: string;
  /** A `RegistrationState`, as D1 holds it. */
  state: string;
  reason: string | null;
}

/** Why, by whom and when. `actor`: id of a key, `node:<id>`, `probe` or `schedule`. */
export interface Step {
  reason: string | null;
  actor: string;
  atMs: number;
}

/** A line of the history; `fromState` null for the first. */
export interface RegistrationEvent {
  endpointId: string;
  atMs: number;
  fromState: RegistrationState | null;
  toState: RegistrationState;
  reason: string | null;
  actor: string;
}

/** What a move writes: columns of the registration, and its line in the history; null where the state stays and only its reason is another. */
export interface Move {
  changes: { state: RegistrationState; reason: string | null; sinceMs?: number };
  event: RegistrationEvent | null;
}

/** Why endpoints drain whose node is drained; by it they are known when the node comes back. */
export const NODE_DRAINED = 'its node is drained';
/** Reasons are shown to people and stored with every line. */
const REASON_CHARS_MAX = 500;

/** Tells whether one state may follow another; every state may stay. */
export function mayMove(from: RegistrationState, to: RegistrationState): boolean {
  return from === to || TRANSITIONS[from].includes(to);
}

/** Tells whether an endpoint in this state is in the catalogue's snapshot. */
export function isServing(state: string): boolean {
  return SERVING_STATES.has(state as RegistrationState);
}

/** Moves an endpoint to a state. Null where that state may not follow the one that it is in. */
export function move({ endpointId, state, reason: known }: Standing, to: RegistrationState, step: Step): Move | null {
  const from = state as RegistrationState;
  if (!mayMove(from, to)) return null;
  const reason = step.reason?.slice(0, REASON_CHARS_MAX) ?? null;
  if (from === to) return { changes: { state: to, reason: reason ?? known }, event: null };
  return {
    changes: { state: to, reason, sinceMs: step.atMs },
    event: { endpointId, atMs: step.atMs, fromState: from, toState: to, reason, actor: step.actor },
  };
}

/** Writes the first line of a history. */
export function begin(endpointId: string, state: RegistrationState, { reason, actor, atMs }: Step): RegistrationEvent {
  return { endpointId, atMs, fromState: null, toState: state, reason, actor };
}
