/** The plot: distortion against bits, measured and in theory. Plain SVG, readable on light and dark. */
import { round, text } from '#bench/svg';
import type { DistortionRow, Study } from './study.ts';

const WIDTH = 720;
const HEIGHT = 470;
const PANEL = { left: 72, right: 690, top: 56, bottom: 340 };
const LEGEND_TOP = 396;
const LEGEND_ROW = 20;
/** Powers of ten at the ends of the scale. */
const LEAST = -4;
const MOST = 0.4;

const STYLE = `
  svg { color-scheme: light dark; font: 12px system-ui, sans-serif; }
  .ink { fill: #1f2328; } .soft { fill: #59636e; } .line { stroke: #d1d9e0; } .axis { stroke: #818b98; }
  .theory { stroke: #59636e; fill: none; } .bound { stroke: #1a7f37; fill: none; } .area { fill: #1a7f37; opacity: 0.08; }
  .ours { fill: #0a69da; } .plain { fill: #cf222e; }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #f0f6fc; } .soft { fill: #9198a1; } .line { stroke: #3d444d; } .axis { stroke: #656c76; }
    .theory { stroke: #9198a1; } .bound { stroke: #3fb950; } .area { fill: #3fb950; }
    .ours { fill: #4493f8; } .plain { fill: #f85149; }
  }`;

type Field = 'exact' | 'lowerBound' | 'upperBound' | 'random' | 'offset' | 'offsetWithoutSigns';

/** Draws the distortions of a study. */
export function toPlot({ distortion, dimension, vectors }: Study): string {
  const title = `Rotated Lloyd–Max quantizer, d = ${dimension}: squared error of ${vectors.toLocaleString('en-US')} synthetic vectors`;
  const at = (row: DistortionRow, field: Field) => ({ x: xOf(row.bits, distortion), y: yOf(row[field]) });
  const path = (field: Field): string =>
    distortion.map((row, place) => `${place === 0 ? 'M' : 'L'}${round(at(row, field).x)} ${round(at(row, field).y)}`).join('');
  const area = `${path('upperBound')}${distortion
    .toReversed()
    .map((row) => `L${round(at(row, 'lowerBound').x)} ${round(at(row, 'lowerBound').y)}`)
    .join('')}Z`;
  const dots = (field: Field, className: string, radius: number): string[] =>
    distortion.map((row) => `<circle class="${className}" cx="${round(at(row, field).x)}" cy="${round(at(row, field).y)}" r="${radius}"/>`);
  const crosses = distortion.map((row) => {
    const { x, y } = at(row, 'offset');
    return `<path class="axis" stroke-width="1.5" d="M${round(x - 9)} ${round(y)}h6m6 0h6"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}\n</style>`,
    text({ x: PANEL.left, y: 24 }, title, 'ink', 'font-weight="600" font-size="14"'),
    ...drawAxes(distortion),
    `<path class="area" d="${area}"/>`,
    `<path class="bound" stroke-dasharray="4 3" d="${path('lowerBound')}"/>`,
    `<path class="bound" d="${path('upperBound')}"/>`,
    `<path class="theory" stroke-width="1.5" d="${path('exact')}"/>`,
    ...crosses,
    ...dots('offsetWithoutSigns', 'plain', 5),
    ...dots('random', 'ours', 5),
    ...drawLegend(),
    '</svg>\n',
  ].join('\n');
}

function xOf(bits: number, rows: readonly DistortionRow[]): number {
  const room = 40;
  return PANEL.left + room + ((bits - 1) / Math.max(1, rows.length - 1)) * (PANEL.right - PANEL.left - 2 * room);
}

function yOf(distortion: number): number {
  return PANEL.bottom - ((Math.log10(distortion) - LEAST) / (MOST - LEAST)) * (PANEL.bottom - PANEL.top);
}

function drawAxes(rows: readonly DistortionRow[]): string[] {
  const ticks = [1, 0.1, 0.01, 0.001, 0.0001];
  return [
    ...ticks.flatMap((tick) => [
      `<line class="line" x1="${PANEL.left}" x2="${PANEL.right}" y1="${round(yOf(tick))}" y2="${round(yOf(tick))}"/>`,
      text({ x: PANEL.left - 6, y: yOf(tick) + 4 }, String(tick), 'soft', 'text-anchor="end"'),
    ]),
    ...rows.map(({ bits }) => text({ x: xOf(bits, rows), y: PANEL.bottom + 16 }, String(bits), 'soft', 'text-anchor="middle"')),
    `<path class="axis" fill="none" d="M${PANEL.left} ${PANEL.top}V${PANEL.bottom}H${PANEL.right}"/>`,
    text({ x: PANEL.left, y: PANEL.top - 10 }, 'squared error / squared norm (lower is better)', 'soft'),
    text({ x: (PANEL.left + PANEL.right) / 2, y: PANEL.bottom + 34 }, 'bits a coordinate', 'soft', 'text-anchor="middle"'),
  ];
}

function drawLegend(): string[] {
  const entries: [string, string][] = [
    ['<circle class="ours" cx="6" cy="-4" r="5"/>', 'measured, random vectors'],
    ['<path class="axis" stroke-width="1.5" d="M0 -4h5m4 0h5"/>', 'measured, vectors with a constant offset'],
    ['<circle class="plain" cx="6" cy="-4" r="5"/>', 'the same offset without random signs'],
    ['<path class="theory" stroke-width="1.5" d="M0 -4h14"/>', 'theory: best scalar quantizer at this d'],
    ['<path class="bound" d="M0 -4h14"/>', 'theory: upper bound, √3π/2 · 4⁻ᵇ'],
    ['<path class="bound" stroke-dasharray="4 3" d="M0 -4h14"/>', 'theory: lower bound of any scheme, 4⁻ᵇ'],
  ];
  return entries.map(([mark, words], place) => {
    const x = PANEL.left + (place % 2) * 310;
    const y = LEGEND_TOP + Math.floor(place / 2) * LEGEND_ROW;
    return `<g transform="translate(${x} ${y})">${mark}${text({ x: 22, y: 0 }, words, 'ink')}</g>`;
  });
}
