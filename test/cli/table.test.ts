import { describe, expect, it } from 'vitest';
import { plain } from '#cli/output';
import { formatTable, type Column } from '#cli/table';

type Row = { name: string; note: string; cost: string };

const COLUMNS: Column<Row>[] = [
  { title: 'name', shrinkTo: 5, cell: ({ name }) => name },
  { title: 'note', optional: 1, cell: ({ note }) => note },
  { title: 'cost', align: 'right', cell: ({ cost }) => cost },
];
const ROWS: Row[] = [
  { name: 'alpha-endpoint', note: 'cheap', cost: '$1' },
  { name: 'beta', note: '', cost: '$12.50' },
];
const format = (width: number, rows = ROWS): string[] => formatTable(rows, COLUMNS, { width, paint: plain }).split('\n');

describe('a table', () => {
  it('is aligned, numbers to the right, a dash for nothing', () => {
    expect(format(Infinity)).toEqual(['name            note     cost', 'alpha-endpoint  cheap      $1', 'beta            –      $12.50']);
  });

  it('leaves out optional columns first, then cuts long texts, and fits', () => {
    expect(format(22)).toEqual(['name              cost', 'alpha-endpoint      $1', 'beta            $12.50']);
    expect(format(16)).toEqual(['name        cost', 'alpha-e…      $1', 'beta      $12.50']);
    for (let width = 13; width < 40; width++) for (const line of format(width)) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('leaves out optional columns in which nothing stands', () => {
    expect(format(Infinity, [{ name: 'a', note: '', cost: '1' }])).toEqual(['name  cost', 'a        1']);
  });

  it('lets no text of others move the cursor or break a line', () => {
    const [, line] = format(Infinity, [{ name: 'a\u001b[31m\nb\u202ec', note: 'x', cost: '1' }]);
    expect(line).toBe('a [31m b c  x        1');
  });
});
