/** The plot: goodput against price and p99 TTFT against price, one mark a policy, means over scenarios. Plain SVG, readable on light and dark. */
import { escapeXml, round, text } from '#bench/svg';
import { createLinearScale, createLogScale, type Scale } from './plot-scale.ts';
import type { SimReport } from './report.ts';
import type { Summary, SummaryField } from './summary.ts';

const WIDTH = 960;
const PANEL = { width: 400, height: 300, top: 56, gap: 80, left: 56 };
const LEGEND_TOP = PANEL.top + PANEL.height + 64;
const LEGEND_ROW = 18;
const LEGEND_COLUMNS = 4;
const MARK_RADIUS = 9;
const OURS = /^headrace/;
/** Goodput below this share would squeeze all others together: it is drawn on the edge, with its value. */
const GOODPUT_FLOOR_SPREAD = 0.3;

const STYLE = `
  svg { color-scheme: light dark; font: 12px system-ui, sans-serif; }
  .ink { fill: #1f2328; } .soft { fill: #59636e; } .line { stroke: #d1d9e0; } .axis { stroke: #818b98; }
  .ours { fill: #0a69da; } .rival { fill: #fff; stroke: #59636e; } .in-ours { fill: #fff; } .in-rival { fill: #1f2328; }
  .bound { stroke: #1a7f37; } .bound-text { fill: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #f0f6fc; } .soft { fill: #9198a1; } .line { stroke: #3d444d; } .axis { stroke: #656c76; }
    .ours { fill: #4493f8; } .rival { fill: #151b23; stroke: #9198a1; } .in-ours { fill: #0d1117; } .in-rival { fill: #f0f6fc; }
    .bound { stroke: #3fb950; } .bound-text { fill: #3fb950; }
  }`;

interface Mark {
  label: string;
  policy: string;
  price: number;
  goodput: number;
  ttftP99S: number;
}

/** Draws the report. Policies without a price are left out; a report without any gives an empty plot that says so. */
export function toPlot({ summary, bound, run }: SimReport): string {
  const marks = toMarks(summary);
  const legendRows = Math.ceil(marks.length / LEGEND_COLUMNS);
  const height = LEGEND_TOP + legendRows * LEGEND_ROW + 16;
  const scenarios = new Set(summary.map(({ scenario }) => scenario)).size;
  const traffic = typeof run['traffic'] === 'string' ? run['traffic'] : 'simulation';
  const title = `${traffic}: means over ${scenarios} scenario${scenarios === 1 ? '' : 's'}`;
  const floors = Object.values(bound).map(({ usdPerMTok }) => usdPerMTok);
  const floor = floors.length === 0 ? null : floors.reduce((sum, value) => sum + value, 0) / floors.length;
  // Ours come last, on top of the others.
  const inOrder = marks.toSorted((one, other) => Number(OURS.test(one.policy)) - Number(OURS.test(other.policy)));
  const body = marks.length === 0 ? [text({ x: PANEL.left, y: 80 }, 'nothing was simulated', 'ink')] : drawPanels(inOrder, floor);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    text({ x: PANEL.left, y: 24 }, title, 'ink', 'font-weight="600" font-size="14"'),
    ...body,
    ...marks.map((mark, place) => drawLegend(mark, place)),
    '</svg>\n',
  ].join('\n');
}

function toMarks(summary: readonly Summary[]): Mark[] {
  const policies = [...new Set(summary.map(({ policy }) => policy))];
  const marks = policies.map((policy, place) => {
    const own = summary.filter((one) => one.policy === policy);
    return {
      label: labelOf(place),
      policy,
      price: meanOver(own, 'usdPerMTok'),
      goodput: 100 * meanOver(own, 'sloGoodput'),
      ttftP99S: meanOver(own, 'ttftP99Ms') / 1_000,
    };
  });
  return marks.filter(({ price, goodput, ttftP99S }) => [price, goodput, ttftP99S].every(Number.isFinite));
}

function drawPanels(marks: readonly Mark[], floor: number | null): string[] {
  const prices = marks.map(({ price }) => price);
  const left = PANEL.left;
  const right = PANEL.left + PANEL.width + PANEL.gap;
  const priceScale = (x: number): Scale =>
    createLinearScale([Math.min(...prices, floor ?? Infinity), Math.max(...prices)], [x + 16, x + PANEL.width - 16]);
  const bottom = PANEL.top + PANEL.height;
  const goodput = createLinearScale(goodputRange(marks), [bottom - 14, PANEL.top + 10]);
  const ttft = createLogScale(rangeOf(marks.map(({ ttftP99S }) => ttftP99S)), [bottom - 14, PANEL.top + 10]);
  return [
    ...drawPanel({ x: left, title: 'SLO goodput, % (higher is better)', priceScale: priceScale(left), scale: goodput, floor }),
    ...marks.map((mark) => drawMark(mark, { x: priceScale(left).at(mark.price), scale: goodput, value: mark.goodput })),
    ...drawPanel({ x: right, title: 'p99 TTFT, s (lower is better)', priceScale: priceScale(right), scale: ttft, floor }),
    ...marks.map((mark) => drawMark(mark, { x: priceScale(right).at(mark.price), scale: ttft, value: mark.ttftP99S })),
  ];
}

/** Leaves out the few policies that fail most of their requests, which would squeeze the others together. */
function goodputRange(marks: readonly Mark[]): [number, number] {
  const values = marks.map(({ goodput }) => goodput).sort((one, other) => one - other);
  const best = values.at(-1) ?? 100;
  const least = values.find((value) => value >= best * (1 - GOODPUT_FLOOR_SPREAD)) ?? best;
  return [least, best];
}

interface PanelOptions {
  x: number;
  title: string;
  priceScale: Scale;
  scale: Scale;
  /** Price of the bound; null where nobody computed it. */
  floor: number | null;
}

function drawPanel({ x, title, priceScale, scale, floor }: PanelOptions): string[] {
  const bottom = PANEL.top + PANEL.height;
  const right = x + PANEL.width;
  const rows = scale.ticks.flatMap((tick) => [
    `<line class="line" x1="${x}" x2="${right}" y1="${round(scale.at(tick))}" y2="${round(scale.at(tick))}"/>`,
    text({ x: x - 6, y: scale.at(tick) + 4 }, String(tick), 'soft', 'text-anchor="end"'),
  ]);
  const columns = priceScale.ticks.map((tick) =>
    text({ x: priceScale.at(tick), y: bottom + 16 }, String(tick), 'soft', 'text-anchor="middle"'),
  );
  const floorX = floor === null ? null : round(priceScale.at(floor));
  return [
    ...rows,
    ...columns,
    `<path class="axis" fill="none" d="M${x} ${PANEL.top}V${bottom}H${right}"/>`,
    text({ x, y: PANEL.top - 10 }, title, 'ink', 'font-weight="600"'),
    text({ x: x + PANEL.width / 2, y: bottom + 34 }, 'USD per million tokens', 'soft', 'text-anchor="middle"'),
    ...(floorX === null
      ? []
      : [
          `<line class="bound" stroke-dasharray="4 3" x1="${floorX}" x2="${floorX}" y1="${PANEL.top}" y2="${bottom}"/>`,
          text({ x: floorX + 4, y: PANEL.top + PANEL.height * 0.6 }, 'bound', 'bound-text'),
        ]),
  ];
}

function drawMark({ label, policy }: Mark, { x, scale, value }: { x: number; scale: Scale; value: number }): string {
  const kind = OURS.test(policy) ? 'ours' : 'rival';
  const y = scale.at(value);
  const offScale = scale.isOut(value) ? text({ x, y: y - MARK_RADIUS - 4 }, `↓ ${value.toFixed(1)}`, 'soft', 'text-anchor="middle"') : '';
  return [
    `<g><title>${escapeXml(`${policy}: ${value.toFixed(2)}`)}</title>`,
    `<circle class="${kind}" cx="${round(x)}" cy="${round(y)}" r="${MARK_RADIUS}"/>`,
    text({ x, y: y + 4 }, label, `in-${kind}`, 'text-anchor="middle" font-size="11"'),
    `${offScale}</g>`,
  ].join('');
}

function drawLegend({ label, policy }: Mark, place: number): string {
  const x = PANEL.left + (place % LEGEND_COLUMNS) * ((WIDTH - PANEL.left) / LEGEND_COLUMNS);
  const y = LEGEND_TOP + Math.floor(place / LEGEND_COLUMNS) * LEGEND_ROW;
  return text({ x, y }, `${label}  ${policy}`, OURS.test(policy) ? 'ink' : 'soft', OURS.test(policy) ? 'font-weight="600"' : '');
}

/** Letters, capitals after z: as many marks as anybody could tell apart. */
function labelOf(place: number): string {
  return String.fromCharCode((place < 26 ? 97 : 65) + (place % 26));
}

function meanOver(own: readonly Summary[], field: SummaryField): number {
  const values = own.flatMap(({ values: { [field]: value } }) => (value === undefined ? [] : [value.mean]));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rangeOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
