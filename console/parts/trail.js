/** The audit trail: who changed what and when, from which value to which. */
import { element, ROWS_MAX, sayLeftOut } from './element.js';
import { formatInstant } from './format.js';

/** Longer values are cut. */
const VALUE_CHARS_MAX = 200;
/** An entry with more fields keeps them folded. */
const OPEN_MAX = 6;
const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
/** Versions of keys are instants, which say nothing here. */
const VERSION = /^\d{1,9}$/;

function sayValue(value) {
  if (value === null || value === undefined) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (ISO_INSTANT.test(text)) return formatInstant(text);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text;
}

function fieldList(fields) {
  const items = fields
    .slice(0, ROWS_MAX)
    .map(([name, { from, to }]) =>
      element(
        'li',
        {},
        element('span', { class: 'field' }, name),
        ` ${sayValue(from)} `,
        element('span', { class: 'field' }, '→'),
        ` ${sayValue(to)}`,
      ),
    );
  return element('ul', { class: 'fields' }, ...items);
}

function sayVersions(from, to) {
  return VERSION.test(to ?? '') ? ` version ${sayValue(from)} → ${to}` : null;
}

function toItem({ at, actor, action, object, from_version: fromVersion, to_version: toVersion, changes }) {
  const fields = Object.entries(changes);
  const list = fields.length === 0 ? element('p', { class: 'empty' }, 'nothing else') : fieldList(fields);
  return element(
    'li',
    { class: 'change' },
    element('span', { class: 'note' }, formatInstant(at, { seconds: true })),
    element('span', {}, element('b', {}, action), sayVersions(fromVersion, toVersion), element('code', { class: 'line note' }, object)),
    element('span', {}, element('span', { class: 'note' }, 'by '), element('code', {}, actor)),
    element(
      'div',
      {},
      fields.length > OPEN_MAX ? element('details', {}, element('summary', {}, `${fields.length} fields`), list) : list,
      sayLeftOut(fields.length),
    ),
  );
}

/** Builds the list of changes, as `GET /audit` tells them. */
export function changeList(changes) {
  if (changes.length === 0) return element('p', { class: 'empty' }, 'Nobody has changed anything yet.');
  return element('ol', { class: 'trail' }, ...changes.map(toItem));
}
