/** Builds nodes. The only way from data to the page: every string becomes text, never markup. */

/**
 * Creates an element with attributes and children. Null attributes and children are left out; strings become text nodes.
 * Throws a TypeError for attributes that could run code (`on…`, `style`, `srcdoc`).
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] `true` writes an empty attribute.
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Creates an element of a drawing (SVG), by the same rules. */
export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (/^(on|style$|srcdoc$)/i.test(name)) throw new TypeError(`attribute ${name} is not allowed`);
    node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    node.append(typeof child === 'object' ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** Replaces everything inside a node. */
export function show(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
}

/** Builds a coloured label; `kind` chooses the colour of a supply kind, a tier or an outcome. */
export function badge(text, kind = text) {
  return element('span', { class: 'badge', 'data-kind': kind }, text);
}

/** Builds a list of terms with their values; pairs without a value are left out. */
export function termList(pairs) {
  const rows = pairs
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value)));
  return element('dl', { class: 'terms' }, ...rows);
}

/** No table or list shows more: a page stays quick whatever a catalogue holds. */
export const ROWS_MAX = 200;

/** Says how many rows are left out; null when none is. */
export function sayLeftOut(count) {
  return count > ROWS_MAX ? element('p', { class: 'empty' }, `and ${count - ROWS_MAX} more`) : null;
}

/**
 * Builds a table that scrolls inside itself.
 * @param {string} label What the table shows, for screen readers.
 * @param {{ title: string, hint?: string, number?: boolean, head?: boolean }[]} columns `head` names the row.
 * @param {{ cells: unknown[], mark?: string | null }[]} rows `mark` styles the row.
 */
export function table(label, columns, rows) {
  const heads = columns.map(({ title, hint, number }) => element('th', { scope: 'col', title: hint, class: number && 'number' }, title));
  const toCell = (cell, { number, head }) => element(head ? 'th' : 'td', { scope: head && 'row', class: number && 'number' }, cell);
  const body = rows
    .slice(0, ROWS_MAX)
    .map(({ cells, mark }) => element('tr', { 'data-mark': mark }, ...cells.map((cell, at) => toCell(cell, columns[at]))));
  const grid = element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...body));
  return element('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: 0 }, grid, sayLeftOut(rows.length));
}
