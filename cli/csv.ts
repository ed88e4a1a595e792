/** Comma-separated values. RFC 4180, and safe to open in a spreadsheet. */

/** Where spreadsheets would take a formula to begin: at the start of a field, or of what some of them split one into. OWASP, CSV Injection. */
const FORMULA_START = /(^|[;|\t\n])(?=\s*[=+\-@＝＋－＠])/g;
/** What no field needs and a terminal would obey. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/;
const NEEDS_QUOTES = /[",\r\n]/;

/** Writes a table with its header line; lines end in CRLF. Absent values are empty. */
export function toCsv(header: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return [header, ...rows].map((row) => `${row.map(toField).join(',')}\r\n`).join('');
}

function toField(value: string | number | null | undefined): string {
  const text = String(value ?? '').replaceAll(CONTROL, ' ');
  // A quote before it makes a text of what would be run; a number is only a number.
  const safe = NUMBER.test(text) ? text : text.replaceAll(FORMULA_START, "$1'");
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
