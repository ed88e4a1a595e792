/** Where a command says what: its result on stdout for people or as one JSON object, everything else on stderr. */
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { toJsonText, toTerminalText } from './plain-text.ts';

/** What a text may look like on a terminal. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Gives a text a style, or leaves it alone where nobody wants colours. */
export type Paint = (style: Style, text: string) => string;

export interface Output {
  /** Whether one JSON object is wanted in place of text. */
  isJson: boolean;
  /** Columns of the terminal; Infinity where stdout is none, so that nothing is cut off for the program that reads it. */
  width: number;
  paint: Paint;
  /** Writes a line of the result, or several. */
  say(text: string): void;
  /** Writes a text as it is, such as CSV. */
  raw(text: string): void;
  /** Writes a line beside the result: progress, warnings. */
  note(text: string): void;
  /** Writes the one object of `--json`: indented on a terminal, on one line elsewhere. */
  json(value: unknown): void;
  /** Prints an answer: as it is for `--json`, else what `toText` makes of it. */
  answer<Answer>(value: Answer, toText: (value: Answer) => string): void;
}

/** Leaves every text alone. */
export const plain: Paint = (_style, text) => text;

const paintWith: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Finds out how a command may talk: from its flags `--json` and `--no-color`, and from where commander writes. */
export function outputOf(command: Command): Output {
  const { writeOut, writeErr, getOutHelpWidth, getOutHasColors, getErrHasColors } = command.configureOutput();
  const { json: isJson = false, color = true } = command.optsWithGlobals<{ json?: boolean; color?: boolean }>();
  const isTerminal = process.stdout.isTTY === true;
  const hasColors = color && getOutHasColors?.() === true;
  const out = (text: string): void => writeOut?.(`${toTerminalText(text, hasColors)}\n`);
  const writeJson = (value: unknown): void => writeOut?.(`${toJsonText(value, isTerminal ? 2 : 0)}\n`);
  return {
    isJson,
    // A terminal that does not know its size says 0.
    width: isTerminal ? getOutHelpWidth?.() || 80 : Infinity,
    paint: hasColors ? paintWith : plain,
    say: out,
    raw: (text) => writeOut?.(text),
    note: (text) => writeErr?.(`${toTerminalText(text, color && getErrHasColors?.() === true)}\n`),
    json: writeJson,
    answer: (value, toText) => (isJson ? writeJson(value) : out(toText(value))),
  };
}
