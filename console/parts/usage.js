/** The usage of a team: a column for each UTC day, a bar for each model. */
import { element, show, svg, table, termList } from './element.js';
import { fill } from './fill.js';
import { formatNumberOf, formatSum, formatTokens } from './format.js';

const DAY_MS = 86_400_000;
const SPANS = [7, 30, 90];
const SPAN_DEFAULT = 30;

/** What the bars can show. */
const MEASURES = {
  // What was charged and what own provider keys were billed: a team with keys of its own spends, too.
  spending: { title: 'Spending', of: ({ cost_usd: usd, byok_usd: byokUsd }) => usd + byokUsd, say: formatSum },
  requests: { title: 'Requests', of: ({ requests }) => requests, say: (count) => formatNumberOf(count, 'request') },
  tokens: { title: 'Tokens', of: (sums) => sums.prompt_tokens + sums.completion_tokens, say: (tokens) => `${formatTokens(tokens)} tokens` },
};

const NOTHING = {
  requests: 0,
  errors: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  reasoning_tokens: 0,
  cached_tokens: 0,
  cost_usd: 0,
  byok_usd: 0,
};

const COUNTED = [
  { title: 'Cost', number: true, of: ({ cost_usd: usd }) => formatSum(usd) },
  {
    title: 'Own keys',
    hint: "Billed to the team's own provider keys",
    number: true,
    of: ({ byok_usd: usd }) => (usd > 0 ? formatSum(usd) : '–'),
  },
  { title: 'Requests', number: true, of: ({ requests }) => requests.toLocaleString('en-US') },
  { title: 'Errors', hint: 'Failed, or broken off after the first byte', number: true, of: ({ errors }) => errors.toLocaleString('en-US') },
  { title: 'In', hint: 'Prompt tokens', number: true, of: (sums) => formatTokens(sums.prompt_tokens) },
  { title: 'Cached', hint: 'Prompt tokens read from a prompt cache', number: true, of: (sums) => formatTokens(sums.cached_tokens) },
  { title: 'Out', hint: 'Completion tokens', number: true, of: (sums) => formatTokens(sums.completion_tokens) },
  { title: 'Reasoning', hint: 'Part of the completion tokens', number: true, of: (sums) => formatTokens(sums.reasoning_tokens) },
];

/** Finds the UTC day on which a span of days that ends today began: `2027-01-31`. */
function firstDay(spanDays, nowMs) {
  return new Date(nowMs - (spanDays - 1) * DAY_MS).toISOString().slice(0, 10);
}

/** Puts sums by day in order, oldest first; days without requests are zero. Pure. */
function everyDay(rows, spanDays, nowMs) {
  const known = new Map(rows.map((row) => [row.day, row]));
  return Array.from({ length: spanDays }, (_, at) => {
    const day = firstDay(spanDays - at, nowMs);
    return known.get(day) ?? { ...NOTHING, day };
  });
}

/** Adds up sums. Pure. */
function addUp(rows) {
  const sumOf = (name) => rows.reduce((sum, row) => sum + row[name], 0);
  return Object.fromEntries(Object.keys(NOTHING).map((name) => [name, sumOf(name)]));
}

/** Heights of columns and lengths of bars are drawn in these units. */
const FULL = 100;

function dayChart(days, measure) {
  const { title, of, say } = MEASURES[measure];
  const most = Math.max(...days.map(of));
  const columns = days.map((sums, at) => {
    // A day with anything at all can be seen.
    const height = of(sums) > 0 ? Math.max(2, (of(sums) / most) * FULL) : 0;
    const hint = svg('title', {}, `${sums.day}: ${say(of(sums))}`);
    const place = { x: at * 10, width: 10, y: 0, height: FULL, class: 'hover' };
    const column = { x: at * 10 + 1, width: 8, y: FULL - height, height, class: 'column' };
    return svg('g', {}, svg('rect', place), svg('rect', column), hint);
  });
  const [first, last] = [days[0].day, days.at(-1).day];
  const peak = days.find((sums) => of(sums) === most);
  const extent = most > 0 ? `at most ${say(most)} on ${peak.day}` : `no ${title.toLowerCase()}`;
  const label = `${title} by UTC day, ${first} to ${last}: ${extent}`;
  const ends = [element('span', {}, first), element('span', {}, extent), element('span', {}, `${last}, UTC`)];
  return element(
    'div',
    { class: 'days' },
    svg('svg', { viewBox: `0 0 ${days.length * 10} ${FULL}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, ...columns),
    element('p', { class: 'ends note' }, ...ends),
  );
}

function lengthBar(share) {
  const bar = svg('rect', { x: 0, y: 0, width: share > 0 ? Math.max(1, share * FULL) : 0, height: 10, class: 'column' });
  return svg('svg', { class: 'length', viewBox: `0 0 ${FULL} 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, bar);
}

function modelTable(rows, measure) {
  const { title, of } = MEASURES[measure];
  const ordered = [...rows].sort((a, b) => of(b) - of(a));
  const most = Math.max(0, ...rows.map(of));
  const columns = [{ title: 'Model', head: true }, { title: `By ${title.toLowerCase()}`, hint: 'Beside the largest' }, ...COUNTED];
  const toCells = (sums) => [
    sums.model ?? 'no model was reached',
    lengthBar(most > 0 ? of(sums) / most : 0),
    ...COUNTED.map((column) => column.of(sums)),
  ];
  return table(
    'Usage by model',
    columns,
    ordered.map((sums) => ({ cells: toCells(sums) })),
  );
}

function dayTable(days) {
  const busy = days.filter(({ requests }) => requests > 0).reverse();
  const rows = busy.map((sums) => ({ cells: [sums.day, ...COUNTED.map((column) => column.of(sums))] }));
  return element(
    'details',
    {},
    element('summary', {}, 'Days in numbers'),
    table('Usage by UTC day', [{ title: 'Day (UTC)', head: true }, ...COUNTED], rows),
  );
}

function draw({ days, models }, measure) {
  const total = addUp(days);
  if (total.requests === 0)
    return [element('p', { class: 'empty' }, 'No requests in these days. A request counts here seconds after it has ended.')];
  return [
    termList([
      ['Cost', formatSum(total.cost_usd)],
      ['On own provider keys', total.byok_usd > 0 ? formatSum(total.byok_usd) : null],
      ['Requests', total.requests.toLocaleString('en-US')],
      ['Errors', total.errors.toLocaleString('en-US')],
      ['In', `${formatTokens(total.prompt_tokens)} tokens`],
      ['Out', `${formatTokens(total.completion_tokens)} tokens`],
    ]),
    dayChart(days, measure),
    dayTable(days),
    modelTable(models, measure),
  ];
}

function choice(title, choices, onChange) {
  const select = element('select', {}, ...choices.map(([value, text, selected]) => element('option', { value, selected }, text)));
  select.addEventListener('change', () => onChange(select.value));
  return element('label', { class: 'choice' }, title, select);
}

/**
 * Opens the usage of a team in a node. Returns how to load it again.
 * @param {Element} node
 * @param {{ read(by: 'day' | 'model', since: string): Promise<object[]>, now(): number }} ports `since` is a UTC day.
 */
export function openUsage(node, { read, now }) {
  const body = element('div');
  let spanDays = SPAN_DEFAULT;
  let measure = 'spending';
  let known = null;

  async function readAll() {
    const nowMs = now();
    const since = firstDay(spanDays, nowMs);
    const [byDay, models] = await Promise.all([read('day', since), read('model', since)]);
    return { days: everyDay(byDay, spanDays, nowMs), models };
  }
  const load = () => fill(body, readAll, (answer) => draw((known = answer), measure));

  const spans = SPANS.map((days) => [days, `${days} days`, days === SPAN_DEFAULT]);
  const measures = Object.entries(MEASURES).map(([name, { title }]) => [name, title.toLowerCase(), name === measure]);
  show(
    node,
    element(
      'div',
      { class: 'choices' },
      choice('Last', spans, (value) => {
        spanDays = Number(value);
        void load();
      }),
      choice('Bars show', measures, (value) => {
        measure = value;
        if (known) show(body, ...draw(known, measure));
      }),
    ),
    body,
  );
  return load;
}
