/** A team in one row: its policy, what is left of its budget, its limits, its prepaid credits. */
import { element } from './element.js';
import { formatInstant, formatNumberOf, formatSpan, formatSum, formatTokens } from './format.js';

const PERIODS = { day: 'a day', week: 'a week', month: 'a month', total: 'in all' };
/** From this share of a budget on its bar warns. */
const SCARCE = 0.9;

/** Lists limits in words; none where nothing is limited. */
export function sayLimits(limits) {
  const { requests_per_minute: requests, tokens_per_minute: tokens, concurrent } = limits ?? {};
  return [
    requests !== undefined && `${formatNumberOf(requests, 'request')} a minute`,
    tokens !== undefined && `${formatTokens(tokens)} tokens a minute`,
    concurrent !== undefined && `${formatNumberOf(concurrent, 'request')} at once`,
  ].filter(Boolean);
}

/** Draws which shares of a whole are spent and held; warns near its end. */
function shareBar(whole, spent, held = 0) {
  const shareOf = (part) => (whole > 0 ? Math.min(1, part / whole) : 1);
  const spentShare = shareOf(spent);
  const level = spentShare >= 1 ? 'gone' : spentShare >= SCARCE ? 'scarce' : 'fine';
  const bar = element('span', { class: 'track', 'data-level': level, 'aria-hidden': 'true' }, element('span', { class: 'part' }));
  bar.style.setProperty('--spent', spentShare);
  bar.style.setProperty('--held', Math.min(shareOf(held), 1 - spentShare));
  return bar;
}

function line(...children) {
  return element('span', { class: 'line' }, ...children);
}

function soft(...parts) {
  return element('span', { class: 'line note' }, parts.filter(Boolean).join(' · '));
}

/** Says when a budget begins anew, in UTC and from now. */
function sayReset(resetsAt, nowMs) {
  return resetsAt === null ? 'never begins anew' : `anew ${formatInstant(resetsAt)}, in ${formatSpan(Date.parse(resetsAt) - nowMs)}`;
}

function budgetCell(budget, source, nowMs) {
  if (budget === null) return [soft('no budget')];
  const { usd, per, spent_usd: spent, held_usd: held, remaining_usd: remaining, resets_at: resetsAt } = budget;
  return [
    line(element('b', {}, formatSum(spent)), ` of ${formatSum(usd)} ${PERIODS[per] ?? per}`),
    shareBar(usd, spent, held ?? 0),
    soft(
      held === null ? 'held: not known now' : held > 0 && `${formatSum(held)} held`,
      `${formatSum(remaining)} left`,
      sayReset(resetsAt, nowMs),
    ),
    source === 'journal' && soft('as written down, seconds behind'),
  ];
}

function creditsCell(credits) {
  if (credits === null) return [soft('no prepaid credits')];
  const { total_usd: total, used_usd: used, remaining_usd: remaining } = credits;
  return [
    line(element('b', {}, formatSum(remaining)), ' prepaid left'),
    shareBar(total, used),
    soft(`${formatSum(used)} used of ${formatSum(total)}`),
  ];
}

function limitsCell(limits) {
  const said = sayLimits(limits);
  return said.length === 0 ? [soft('no limits')] : said.map((text) => line(text));
}

/**
 * Builds the row of a team.
 * @param {object} team As `GET /teams` tells it.
 * @param {number} nowMs
 */
export function teamRow({ id, policy, budget, limits, credits, keys, source }, nowMs) {
  const cell = (children) => element('span', { class: 'cell' }, ...children);
  return element(
    'span',
    { class: 'row' },
    cell([
      line(element('b', { class: 'team-name' }, id)),
      soft(policy === null ? 'no policy of its own' : `policy ${policy}`),
      soft(formatNumberOf(keys, 'enabled key')),
    ]),
    cell(budgetCell(budget, source, nowMs)),
    cell(limitsCell(limits)),
    cell(creditsCell(credits)),
  );
}
