/** Predicted against measured, side by side. */
import type { NodeSpeed } from '#schema/node-service';
import type { Output } from '../output.ts';
import { sayCount, sayMs, sayNumberOf } from '../quantities.ts';
import { formatTable, type Column } from '../table.ts';
import type { EngineModel } from './engines/engine.ts';
import type { Prediction } from './predict.ts';

interface Row {
  what: string;
  predicted: string | undefined;
  measured: string | undefined;
}

const COLUMNS: Column<Row>[] = [
  { title: '', cell: ({ what }) => what },
  { title: 'predicted', align: 'right', optional: 1, cell: ({ predicted }) => predicted || null },
  { title: 'measured', align: 'right', cell: ({ measured }) => measured || null },
];

/** What came of a benchmark beside what was expected, where anything was. */
export interface Compared {
  measured: NodeSpeed;
  predicted: Prediction | undefined;
}

/** Writes a small table for the model that was measured. */
export function sayMeasured(
  { capacity }: EngineModel,
  { measured, predicted: expected }: Compared,
  output: Pick<Output, 'width' | 'paint'>,
): string {
  const streams = measured.throughput?.streams ?? 0;
  const rows: Row[] = [
    { what: 'first token, 1,150-token prompt', predicted: sayMs(expected?.speed.ttftMs), measured: sayMs(measured.ttftMs) },
    { what: 'one request alone', predicted: sayPace(expected?.speed.tpotMs), measured: sayPace(measured.tpotMs) },
    {
      what: `${sayNumberOf(streams, 'request')} together`,
      predicted: expected && streams > 1 ? sayRate(expected.throughputOf(streams)) : '',
      measured: streams > 1 ? sayRate(measured.throughput?.tokensPerSecond) : '',
    },
    { what: 'tokens that fit', predicted: sayCount(expected?.poolTokens), measured: sayCount(capacity.poolTokens) },
  ];
  const known = rows.filter((row) => Boolean(row.predicted) || Boolean(row.measured));
  return formatTable(known, COLUMNS, output);
}

function sayPace(tpotMs: number | null | undefined): string {
  return sayRate(tpotMs ? 1_000 / tpotMs : null);
}

function sayRate(tokensPerSecond: number | null | undefined): string {
  return tokensPerSecond ? `${sayCount(Math.round(tokensPerSecond))} tokens/s` : '';
}
