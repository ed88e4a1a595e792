/** The receipt: why a request went where it went. */
import { badge, element, ROWS_MAX, sayLeftOut, show, table, termList } from './element.js';
import {
  formatCount,
  formatIndex,
  formatMs,
  formatPace,
  formatShare,
  formatTokens,
  formatUsd,
  formatWord,
  placeAttempts,
} from './format.js';

const PLAN_COLUMNS = [
  { title: 'Rank' },
  { title: 'Endpoint', head: true },
  { title: 'Supply' },
  { title: 'Tier' },
  { title: 'Index R', hint: 'Price, time and risk in one number: lower is better', number: true },
  { title: 'Cost', hint: 'Expected cost of this request', number: true },
  { title: 'TTFT', hint: 'Predicted time to first token', number: true },
  { title: 'TPOT', hint: 'Predicted time per output token', number: true },
  { title: 'Failure', hint: 'Predicted probability that an attempt fails', number: true },
  { title: 'Cache', hint: 'How likely earlier turns are in its prompt cache', number: true },
  { title: 'Load', hint: 'Requests that are there, of how many may be', number: true },
  { title: 'Gates', hint: 'Soft gates that this endpoint fails now: stage, cap, backoff, breaker' },
];

const TERMS = {
  price: { title: 'Price', hint: 'Expected price of the request' },
  ttft: { title: 'First token', hint: 'Waiting for the first token' },
  ttft_miss: { title: 'Late', hint: 'Missing the objective for the first token' },
  tpot: { title: 'Pace', hint: 'Waiting for the other tokens' },
  verification: { title: 'Verification', hint: 'Not being verified, where that is preferred' },
  risk: { title: 'Risk', hint: 'Failures before a success' },
};

const FILTER_NAMES = {
  H1: 'privacy tier',
  H2: 'jurisdiction',
  H3: 'variant',
  H4: 'capabilities',
  H5: 'room',
  H6: 'price',
  H7: 'admission',
  full: 'no room now',
  breaker: 'being probed',
};

/** Builds the table of candidates, best first; marks those that were tried. */
function planTable(plan, attempts) {
  const outcomes = new Map(attempts.map(({ endpoint, outcome }) => [endpoint, outcome]));
  const rows = plan.candidates.map((candidate) => {
    const outcome = outcomes.get(candidate.endpoint);
    const label = outcome && badge(outcome === 'completed' ? 'served' : outcome, outcome);
    return {
      mark: outcome ?? null,
      cells: [
        candidate.rank,
        element('span', { class: 'name' }, candidate.endpoint, label),
        badge(candidate.supply),
        formatWord(candidate.tier),
        formatIndex(candidate.index),
        formatUsd(candidate.cost),
        formatMs(candidate.ttft_ms),
        formatPace(candidate.tpot_ms),
        formatShare(candidate.failure_probability),
        candidate.cache_hit > 0 ? formatShare(candidate.cache_hit) : formatShare(null),
        candidate.load ? `${formatCount(candidate.load.in_flight)} of ${formatCount(candidate.load.cap)}` : formatShare(null),
        candidate.gates.length === 0 ? 'clear' : candidate.gates.join(', '),
      ],
    };
  });
  return table('Candidates of the plan, best first', PLAN_COLUMNS, rows);
}

/** Builds the table of what each index is the sum of; null where no candidate has one. */
function termsTable({ candidates }) {
  const indexed = candidates.filter(({ terms }) => terms);
  if (indexed.length === 0) return null;
  const columns = [
    { title: 'Endpoint', head: true },
    ...Object.values(TERMS).map((column) => ({ ...column, number: true })),
    { title: 'Index R', number: true },
  ];
  const rows = indexed.map(({ endpoint, terms, index }) => ({
    cells: [endpoint, ...Object.keys(TERMS).map((term) => (terms[term] === 0 ? '0' : formatIndex(terms[term]))), formatIndex(index)],
  }));
  return element(
    'details',
    {},
    element('summary', {}, 'Terms of the index ', element('span', { class: 'count' }, 'in median prices of the model')),
    table('What each index is the sum of', columns, rows),
  );
}

/** Groups what was excluded by the filter that excluded it. */
function exclusions(rejections) {
  const groups = new Map();
  for (const rejection of rejections) groups.set(rejection.filter, [...(groups.get(rejection.filter) ?? []), rejection]);
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([filter, members]) =>
      element(
        'details',
        { class: 'filter', open: rejections.length <= 12 },
        element(
          'summary',
          {},
          badge(filter, 'filter'),
          ` ${FILTER_NAMES[filter] ?? 'filter'} `,
          element('span', { class: 'count' }, members.length),
        ),
        element(
          'ul',
          {},
          ...members
            .slice(0, ROWS_MAX)
            .map(({ endpoint, supply, reason }) => element('li', {}, element('b', {}, endpoint), ' ', badge(supply), ` ${reason}`)),
        ),
        sayLeftOut(members.length),
      ),
    );
}

/** Draws attempts on one time axis; the wait for the first token is lighter. */
function timeline(attempts) {
  const places = placeAttempts(attempts);
  const rows = attempts.map((attempt, at) => {
    const { from, to, first } = places[at];
    const bar = element('span', { class: 'bar' });
    bar.style.setProperty('--from', from);
    bar.style.setProperty('--to', to);
    bar.style.setProperty('--first', first ?? from);
    const failure = attempt.failure;
    return element(
      'li',
      { 'data-outcome': attempt.outcome },
      element(
        'p',
        { class: 'attempt' },
        element('b', {}, attempt.endpoint),
        badge(attempt.supply),
        attempt.role !== undefined && attempt.role !== 'first' && badge(attempt.role, 'role'),
        badge(failure ? formatWord(failure.kind) : attempt.outcome, attempt.outcome),
        element('span', { class: 'took' }, formatMs(attempt.duration_ms)),
      ),
      element('span', { class: 'track', 'aria-hidden': 'true' }, bar),
      failure && element('p', { class: 'detail' }, failure.status ? `${failure.status}: ${failure.detail}` : failure.detail),
    );
  });
  return element('ol', { class: 'timeline' }, ...rows);
}

function heading(text, note) {
  return element('h3', {}, text, note && element('span', { class: 'note' }, note));
}

/** Says how the order came about. */
function sayMethod({ method, optimize, relaxed, candidates }) {
  const relaxing = relaxed.length > 0 ? `, relaxed: ${relaxed.join(', ')}` : '';
  return `${candidates.length} ${candidates.length === 1 ? 'candidate' : 'candidates'} by ${method}, optimize ${optimize}${relaxing}`;
}

function planSections(plan, attempts) {
  return [
    heading('Plan', sayMethod(plan)),
    plan.candidates.length > 0
      ? planTable(plan, attempts)
      : element('p', { class: 'empty' }, 'No endpoint passes the hard filters, which nothing relaxes.'),
    termsTable(plan),
    plan.skipped && heading('Skipped', 'could not be asked any more when their turn came'),
    ...exclusions(plan.skipped ?? []),
    plan.rejections.length > 0 && heading('Excluded', 'by the first hard filter violated'),
    ...exclusions(plan.rejections),
  ];
}

/** Shows a plan that was not followed: of an explanation or a refused request. */
export function showPlan(node, plan) {
  show(node, ...planSections(plan, []));
}

/** Shows a whole receipt: attempts, usage and money, the plan. */
export function showReceipt(node, receipt) {
  const { attempts, plan, usage, ...money } = receipt.headrace;
  show(
    node,
    element('p', { class: 'id' }, element('code', {}, receipt.id)),
    heading('Attempts', `${formatMs(money.timing.overhead_ms)} of routing before the first`),
    attempts.length > 0 ? timeline(attempts) : element('p', { class: 'empty' }, 'No upstream was called.'),
    heading('Usage', usage.source === 'reported' ? 'reported by the upstream' : 'counted by the router'),
    termList([
      ['Prompt', `${formatTokens(usage.prompt_tokens)} tokens`],
      ['Completion', `${formatTokens(usage.completion_tokens)} tokens`],
      ['Reasoning', usage.reasoning_tokens > 0 ? formatTokens(usage.reasoning_tokens) : null],
      ['Cache read', usage.cache_read_tokens > 0 ? formatTokens(usage.cache_read_tokens) : null],
      ['Charged', formatUsd(money.charged)],
      ['Absorbed', formatUsd(money.absorbed)],
      ['Held', formatUsd(money.held)],
      ['Finish', formatWord(receipt.finish_reason)],
    ]),
    ...planSections(plan, attempts),
  );
}
