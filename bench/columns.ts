/** Tables of the benchmarks' reports. */

/** Pads cells into columns, two spaces apart: `isRight` says which cells stand on the right. */
export function alignColumns(rows: readonly (readonly string[])[], isRight: (cell: string, column: number) => boolean): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  const pad = (cell: string, column: number): string =>
    isRight(cell, column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
