/** `--out`: one line for each request. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { toUsd } from '#schema/money';
import { CommandError } from '../command-error.ts';
import { toCsv } from '../csv.ts';
import type { Choice, Outcome } from './outcome.ts';

/** Names of the columns, in their order; keys of a JSON line. */
const COLUMNS = [
  'id',
  'created_at',
  'team',
  'model',
  'outcome',
  'before_endpoint',
  'after_endpoint',
  'before_supply',
  'after_supply',
  'before_tier',
  'after_tier',
  'before_cost_usd',
  'after_cost_usd',
  'before_predicted_cost_usd',
  'after_predicted_cost_usd',
  'before_ttft_ms',
  'after_ttft_ms',
  'why',
  'doubts',
] as const;

type Value = string | number | null | readonly string[];
type Line = Record<(typeof COLUMNS)[number], Value>;

/** A file that is there when all of it is. */
export interface LineFile {
  write(outcomes: readonly Outcome[]): void;
  /** Gives the file its name. */
  keep(): void;
  /** Removes what has been written. Safe after `keep`. */
  drop(): void;
}

/** Opens a file for lines of JSON, or of CSV where its name ends so. Throws CommandError when it cannot be written. */
export function openLines(file: string): LineFile {
  const isCsv = file.endsWith('.csv');
  const partial = `${file}.part`;
  const descriptor = openOrRefuse(partial, file);
  let isOpen = true;
  const close = (): boolean => {
    const wasOpen = isOpen;
    if (wasOpen) closeSync(descriptor);
    isOpen = false;
    return wasOpen;
  };
  if (isCsv) writeSync(descriptor, toCsv(COLUMNS, []));
  return {
    write(outcomes) {
      const lines = outcomes.map(toLine).map((line) => (isCsv ? toCsvLine(line) : `${JSON.stringify(line)}\n`));
      writeSync(descriptor, lines.join(''));
    },
    keep() {
      if (close()) renameSync(partial, file);
    },
    drop() {
      if (close()) rmSync(partial, { force: true });
    },
  };
}

function openOrRefuse(partial: string, file: string): number {
  try {
    return openSync(partial, 'w');
  } catch (error) {
    throw new CommandError(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** Says in a word what came of a request. */
function sayOutcome({ result }: Outcome): string {
  if (typeof result === 'string') return `skipped: ${result}`;
  const { before, after } = result;
  if (before === null) return after === null ? 'refused_both' : 'newly_served';
  if (after === null) return 'refused';
  return before.endpoint === after.endpoint ? 'same' : 'moved';
}

function toLine(outcome: Outcome): Line {
  const { id, createdAtMs, team, model, result } = outcome;
  const compared = typeof result === 'string' ? null : result;
  const [before, after] = [compared?.before ?? null, compared?.after ?? null];
  return {
    id,
    created_at: new Date(createdAtMs).toISOString(),
    team,
    model,
    outcome: sayOutcome(outcome),
    before_endpoint: before?.endpoint ?? null,
    after_endpoint: after?.endpoint ?? null,
    before_supply: before?.supply ?? null,
    after_supply: after?.supply ?? null,
    before_tier: before?.tier ?? null,
    after_tier: after?.tier ?? null,
    before_cost_usd: costOf(before),
    after_cost_usd: costOf(after),
    before_predicted_cost_usd: before && toUsd(before.predictedNanoUsd),
    after_predicted_cost_usd: after && toUsd(after.predictedNanoUsd),
    before_ttft_ms: before?.ttftMs ?? null,
    after_ttft_ms: after?.ttftMs ?? null,
    why: compared?.why ?? null,
    doubts: compared?.doubts ?? [],
  };
}

function costOf(choice: Choice | null): number | null {
  return choice === null || choice.costNanoUsd === null ? null : toUsd(choice.costNanoUsd);
}

/** One line, without a header. */
function toCsvLine(line: Line): string {
  return toCsv(
    COLUMNS.map((column) => sayValue(line[column])),
    [],
  );
}

function sayValue(value: Value): string {
  if (value === null) return '';
  return typeof value === 'object' ? value.join(' ') : String(value);
}
