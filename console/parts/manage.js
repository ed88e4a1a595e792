/** Calls what holders of management keys may: teams, their keys, usage, the audit trail. */
import { call } from './api.js';

/** Teams and keys in one answer. */
const PAGE = 100;
const CHANGES_PAGE = 50;
const TIMEOUT_MS = 30_000;

async function send(path, request) {
  return (await call(`/v1${path}`, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) })).json();
}

function read(path, key, query = {}) {
  const search = new URLSearchParams(query);
  return send(search.size > 0 ? `${path}?${search}` : path, { key });
}

/** Describes the key itself: which kind it is, and of which team. */
export async function describeKey(key) {
  return (await read('/key', key)).data;
}

/** Takes a page whose successors are found by counting. */
function toPage({ data }, offset) {
  return { items: data, next: data.length < PAGE ? null : offset + PAGE };
}

/** Lists teams by id, from an offset on. */
export async function listTeams(key, offset) {
  return toPage(await read('/teams', key, { offset }), offset);
}

/** Finds how one team stands now. */
export async function findTeam(key, id) {
  return (await read(`/teams/${encodeURIComponent(id)}`, key)).data;
}

/** Lists the keys of a team, disabled ones too, from an offset on. */
export async function listKeys(key, team, offset) {
  return toPage(await read('/keys', key, { workspace_id: team, include_disabled: true, offset }), offset);
}

/** Sums what a team used since a UTC day, by `model` or by `day`. */
export async function sumUsage(key, { team, by, since }) {
  return (await read('/usage', key, { team, by, since })).data;
}

/** Lists changes, newest first, behind a cursor; null begins. */
export async function listChanges(key, cursor) {
  const { data, next_cursor: next } = await read('/audit', key, { limit: CHANGES_PAGE, ...(cursor && { cursor }) });
  return { items: data, next };
}

/** Makes an inference key. The answer holds it for the only time. */
export function createKey(key, wish) {
  return send('/keys', { key, body: wish });
}

/** Refuses an inference key from now on, or accepts it again. */
export function switchKey(key, hash, disabled) {
  return send(`/keys/${encodeURIComponent(hash)}`, { key, method: 'PATCH', body: { disabled } });
}

/** Gives an inference key a new value; the old one works for so many seconds. */
export function rotateKey(key, hash, overlapS) {
  return send(`/keys/${encodeURIComponent(hash)}/rotate`, { key, body: { overlap_s: overlapS } });
}
