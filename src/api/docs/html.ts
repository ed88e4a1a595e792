/** Markup from templates: what is put in becomes text, unless it is markup already. */

/** Markup that has been made here. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Slot = Html | string | number | false | null | undefined | readonly Slot[];

/** Writes markup. Strings are escaped; lists follow each other; false, null and undefined leave nothing. */
export function html(template: TemplateStringsArray, ...slots: readonly Slot[]): Html {
  return new Html(withoutIndents(template).reduce((text, part, at) => text + print(slots[at - 1]) + part));
}

const flat = new WeakMap<TemplateStringsArray, readonly string[]>();

function withoutIndents(template: TemplateStringsArray): readonly string[] {
  const known = flat.get(template) ?? template.map((part) => part.replaceAll(/\n\s+/g, '\n'));
  flat.set(template, known);
  return known;
}

function print(slot: Slot): string {
  if (slot instanceof Html) return slot.text;
  if (typeof slot === 'string') return escape(slot);
  if (typeof slot === 'number') return String(slot);
  return slot ? slot.map(print).join('') : '';
}

const SPECIAL = /[&<>"']/;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return !SPECIAL.test(text) ? text : text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Writes a sentence in which `code` stands between backticks. */
export function sentence(text: string): Html {
  return html`${text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** Writes paragraphs, which empty lines part. */
export function paragraphs(text: string): Html {
  return html`${text.split('\n\n').map((paragraph) => html`<p>${sentence(paragraph)}</p>`)}`;
}
