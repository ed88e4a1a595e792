/** Reads CSV files with a header, row by row, by the names of their columns. */
import { columnKey, splitCsv } from './csv.ts';
import { lineError, readLines, type TellReading } from './text-lines.ts';

/** One row: its fields by column name; a column that the file doesn't have is empty. */
export type Row<Column extends string> = Record<Column, string>;

/** Yields rows. Throws an Error with a one-line message when a required column is missing; `check` errors get file and line in front. */
export async function readTable<Column extends string>(
  file: string,
  columns: { required: readonly Column[]; optional?: readonly Column[] },
  take: (row: Row<Column>) => void,
  tell?: TellReading,
): Promise<void> {
  const wanted = [...columns.required, ...(columns.optional ?? [])];
  let places: number[] | null = null;
  for await (const { number, text } of readLines(file, tell)) {
    const fields = splitCsv(text);
    try {
      if (places === null) {
        const keys = fields.map(columnKey);
        places = wanted.map((column) => keys.indexOf(columnKey(column)));
        const missing = columns.required.filter((_, at) => places?.[at] === -1);
        if (missing.length > 0) throw new Error(`no column ${missing.join(', ')}`);
        continue;
      }
      const row: Partial<Row<Column>> = {};
      for (const [at, column] of wanted.entries()) row[column] = fields[places[at] as number] ?? '';
      take(row as Row<Column>);
    } catch (error) {
      throw lineError({ file, number }, error);
    }
  }
  if (places === null) throw new Error(`${file}: empty`);
}
