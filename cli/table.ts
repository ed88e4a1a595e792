/** Tables for people: aligned columns that fit the terminal. */
import type { Paint, Style } from './output.ts';
import { toPlainText } from './plain-text.ts';

/** One cell; absent values stand as a dash. */
export type Cell = string | null | undefined | { text: string; style: Style };

export interface Column<Row> {
  title: string;
  cell(row: Row): Cell;
  /** Numbers stand on the right. */
  align?: 'left' | 'right';
  /** Left out on narrow terminals, the highest number first; absent: always shown. */
  optional?: number;
  /** May be cut short, down to this many characters. */
  shrinkTo?: number;
}

export interface TableSetting {
  /** Columns of the terminal; Infinity cuts nothing. */
  width: number;
  paint: Paint;
}

const GAP = '  ';

/** Lays rows out below their titles. Optional columns in which nothing stands are left out, then optional ones until the rest fits, then the longest texts are cut. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], { width, paint }: TableSetting): string {
  const filled = columns
    .map((column) => ({ ...column, cells: rows.map((row) => readCell(column.cell(row))) }))
    .filter(({ cells, optional }) => optional === undefined || cells.some(({ text }) => text !== DASH))
    .map((column) => ({ ...column, width: longest([column.title, ...column.cells.map(({ text }) => text)]) }));
  const fitting = shrink(leaveOut(filled, width), width);
  const toLine = (cellOf: (column: Filled) => ReadCell): string =>
    fitting
      .map((column) => place(cellOf(column), column, paint))
      .join(GAP)
      .trimEnd();
  return [
    toLine(({ title }) => ({ text: title, style: 'dim' })),
    ...rows.map((_, index) => toLine(({ cells }) => cells[index] ?? { text: DASH })),
  ].join('\n');
}

const DASH = '–';

interface ReadCell {
  text: string;
  style?: Style;
}

interface Filled {
  title: string;
  cells: readonly ReadCell[];
  width: number;
  align?: 'left' | 'right';
  optional?: number;
  shrinkTo?: number;
}

function readCell(cell: Cell): ReadCell {
  const { text, ...style } = typeof cell === 'object' && cell !== null ? cell : { text: cell ?? '' };
  const shown = toPlainText(text);
  return { ...style, text: shown === '' ? DASH : shown };
}

function leaveOut<Column extends Filled>(columns: readonly Column[], width: number): Column[] {
  let left = [...columns];
  while (widthOf(left) > width) {
    const last = left.reduce<Column | null>((worst, column) => ((column.optional ?? 0) > (worst?.optional ?? 0) ? column : worst), null);
    if (last === null) break;
    left = left.filter((column) => column !== last);
  }
  return left;
}

function shrink<Column extends Filled>(columns: readonly Column[], width: number): Column[] {
  const left = columns.map((column) => ({ ...column }));
  for (let over = widthOf(left) - width; over > 0; over = widthOf(left) - width) {
    const widest = left
      .filter((column) => column.width > (column.shrinkTo ?? Infinity))
      .reduce<Column | null>((most, column) => (column.width > (most?.width ?? 0) ? column : most), null);
    if (widest === null) break;
    // A little at a time, so that long columns end up alike.
    widest.width = Math.max(widest.shrinkTo ?? 0, widest.width - Math.min(over, Math.max(1, Math.floor(widest.width / 8))));
  }
  return left;
}

function widthOf(columns: readonly Filled[]): number {
  return columns.reduce((sum, column) => sum + column.width, GAP.length * Math.max(0, columns.length - 1));
}

function longest(texts: readonly string[]): number {
  return texts.reduce((length, text) => Math.max(length, lengthOf(text)), 0);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Cuts a text to so many characters, the last of them an ellipsis. */
export function cut(text: string, length: number): string {
  return lengthOf(text) <= length
    ? text
    : `${Array.from(text)
        .slice(0, Math.max(0, length - 1))
        .join('')}…`;
}

/** Cuts and pads; blanks stay without style, so that those at the end of a line can go. */
function place({ text, style }: ReadCell, { width, align }: Filled, paint: Paint): string {
  const shown = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - lengthOf(shown)));
  const painted = style === undefined ? shown : paint(style, shown);
  return align === 'right' ? space + painted : painted + space;
}
