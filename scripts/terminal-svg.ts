/** Draws what a command has printed as a picture of a terminal. Pure. */
import { escapeXml } from '#bench/svg';

const WIDTH = 960;
const [LEFT, TOP, LINE_HEIGHT, BOTTOM] = [16, 46, 19, 14];
const BUTTONS = ['#ff5f57', '#febc2e', '#28c840'];

/** What styles of the CLI look like; the rest of SGR is left out. */
const CLASSES: Readonly<Record<string, string>> = { '1': 'bold', '2': 'dim', '31': 'red', '32': 'green', '33': 'yellow', '36': 'cyan' };
// oxlint-disable-next-line no-control-regex -- it is what styles are written with
const STYLE = /\u001b\[(\d+)m/;

const STYLES = `<style>
  .back { fill: #0d1117; } .bar { fill: #161b22; } text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #e6edf3; white-space: pre; }
  .dim { fill: #8b949e; } .green { fill: #3fb950; } .red { fill: #f85149; } .yellow { fill: #d29922; } .cyan { fill: #39c5cf; } .bold { font-weight: 600; }
</style>`;

/** Draws lines, with their styles as escape sequences, below a title that only readers of the file see. */
export function drawTerminal(title: string, lines: readonly string[]): string {
  const height = TOP + (lines.length - 1) * LINE_HEIGHT + BOTTOM;
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    `<title>${escapeXml(title)}</title>`,
    STYLES,
    `<rect class="back" width="${WIDTH}" height="${height}" rx="8"/>`,
    `<path class="bar" d="M0 8a8 8 0 0 1 8-8h${WIDTH - 16}a8 8 0 0 1 8 8v20H0z"/>`,
    ...BUTTONS.map((colour, place) => `<circle cx="${18 + 18 * place}" cy="14" r="5" fill="${colour}"/>`),
    ...lines.map((line, place) => `<text x="${LEFT}" y="${TOP + LINE_HEIGHT * place}" xml:space="preserve">${drawLine(line)}</text>`),
    '</svg>\n',
  ].join('\n');
}

/** Every style ends the one before it: the CLI nests none. */
function drawLine(line: string): string {
  const [start = '', ...styled] = line.split(STYLE);
  let drawn = escapeXml(start);
  for (let place = 0; place < styled.length; place += 2) {
    const name = CLASSES[styled[place] ?? ''];
    const text = escapeXml(styled[place + 1] ?? '');
    drawn += name === undefined || text === '' ? text : `<tspan class="${name}">${text}</tspan>`;
  }
  return drawn;
}
