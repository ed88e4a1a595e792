/** The keys of a team: what each may do and has spent, and what can be done with it. */
import { badge, element, termList } from './element.js';
import { button } from './fill.js';
import { formatInstant, formatSum } from './format.js';
import { sayLimits } from './team.js';

const RESETS = { daily: 'a day', weekly: 'a week', monthly: 'a month' };

function states({ disabled, expires_at: expiresAt, headrace }, nowMs) {
  const isExpired = expiresAt !== null && Date.parse(expiresAt) <= nowMs;
  const isRotating = headrace.previous !== null && Date.parse(headrace.previous.works_until) > nowMs;
  return [
    disabled && badge('disabled', 'failed'),
    isExpired && badge('expired', 'failed'),
    isRotating && badge(`old value works until ${formatInstant(headrace.previous.works_until)}`, 'note'),
    headrace.source !== 'api' && badge('of the manifest', 'source'),
  ];
}

function sayUsed({ usage, limit, limit_reset: reset, limit_remaining: remaining }) {
  if (limit === null) return `${formatSum(usage)} so far`;
  return `${formatSum(remaining)} left of ${formatSum(limit)} ${RESETS[reset] ?? 'in all'}`;
}

/** Keys of the manifest are changed there: the router refuses to do it here. */
function actions(held, act) {
  const { name, disabled, headrace } = held;
  if (headrace.source !== 'api') return element('span', { class: 'note' }, 'changed in headrace.yaml');
  return element(
    'span',
    { class: 'does' },
    disabled
      ? button('Enable', () => act.onEnable(held), { label: `Enable ${name}` })
      : button('Disable', () => act.onDisable(held), { label: `Disable ${name}` }),
    button('Rotate', () => act.onRotate(held), { label: `Rotate ${name}` }),
  );
}

function toItem(held, act, nowMs) {
  const { name, label, expires_at: expiresAt, byok_usage: byok, headrace } = held;
  return element(
    'li',
    { class: 'held-key', 'data-disabled': held.disabled },
    element('p', { class: 'who' }, element('b', {}, name), element('code', {}, label), ...states(held, nowMs), actions(held, act)),
    termList([
      ['Money', sayUsed(held)],
      ['On own provider keys', byok > 0 ? formatSum(byok) : null],
      ['Limits', sayLimits(headrace.limits).join(', ') || "the team's"],
      ['Models', headrace.models?.join(', ') ?? 'all'],
      ['Policy', headrace.policy],
      ['Expires', expiresAt === null ? 'never' : formatInstant(expiresAt)],
    ]),
  );
}

/**
 * Builds the list of a team's keys.
 * @param {object[]} keys As `GET /keys` tells them.
 * @param {{ onEnable(key: object): void, onDisable(key: object): void, onRotate(key: object): void }} act
 * @param {number} nowMs
 */
export function keyList(keys, act, nowMs) {
  if (keys.length === 0) return element('p', { class: 'empty' }, 'No keys yet. Make one, and the team can ask.');
  return element('ul', { class: 'held-keys' }, ...keys.map((held) => toItem(held, act, nowMs)));
}
