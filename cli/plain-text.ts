/** Text of others on a terminal. */

/** Control characters, those of C1 too, separators of lines, and the marks that turn the reading direction. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
/** A colour of ours, or one of the above. */
const STYLE_OR_UNSEEN = new RegExp(String.raw`\u001b\[\d{1,2}m|${UNSEEN.source}`, 'g');

/** Makes one line of a text, without what a terminal would obey: a key name must not move the cursor. */
export function toPlainText(text: string): string {
  return text.replaceAll(new RegExp(`${UNSEEN.source}+`, 'g'), ' ');
}

/** Lets lines and, where they are wanted, colours through to a terminal and nothing else that it would obey, whatever the text was made of. */
export function toTerminalText(text: string, hasColors: boolean): string {
  return text.replaceAll(STYLE_OR_UNSEEN, (found) => {
    if (found.length > 1) return hasColors ? found : '';
    return found === '\n' ? found : ' ';
  });
}

/** Writes the same value as `JSON.stringify` does, with everything escaped that a terminal would obey. */
export function toJsonText(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, null, indent) ?? 'null';
  return text.replaceAll(UNSEEN, (found) => (found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
