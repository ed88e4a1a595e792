/** The form that a new key is wished for with, and what it asks of the API. */
import { element } from './element.js';

function field(title, note, input) {
  return element('label', { class: 'wish' }, title, note && element('span', { class: 'note' }, ` ${note}`), input);
}

function input(name, attributes = {}) {
  return element('input', { name, autocomplete: 'off', ...attributes });
}

function options(name, choices, chosen) {
  return element('select', { name }, ...choices.map(([value, text]) => element('option', { value, selected: value === chosen }, text)));
}

const RESETS = [
  ['', 'in all'],
  ['daily', 'a day'],
  ['weekly', 'a week'],
  ['monthly', 'a month'],
];

/** Builds the fields of a new key. Only its name must be given. */
export function keyFields() {
  const count = { type: 'number', min: 1, step: 1, inputmode: 'numeric' };
  const pair = (...fields) => element('div', { class: 'pair' }, ...fields);
  return [
    field('Name', null, input('name', { required: true, maxlength: 100, spellcheck: 'false' })),
    pair(
      field('Money', 'USD at most', input('limit', { type: 'number', min: 0, step: 'any', inputmode: 'decimal' })),
      field('Per', 'UTC days', options('limit_reset', RESETS)),
    ),
    pair(
      field('Requests a minute', null, input('requests_per_minute', count)),
      field('Tokens a minute', null, input('tokens_per_minute', count)),
    ),
    pair(field('Requests at once', null, input('concurrent', count)), field('Expires', '0:00 UTC', input('expires', { type: 'date' }))),
    pair(
      field('Models', 'globs, commas', input('models', { placeholder: 'qwen/*', spellcheck: 'false' })),
      field('Policy', "beside the team's", input('policy', { spellcheck: 'false' })),
    ),
  ];
}

const OVERLAPS = [
  ['0', 'no longer: it ends now'],
  ['3600', '1 hour'],
  ['86400', '24 hours'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
];

/** Builds the choice of how long a rotated key goes on working. */
export function overlapField() {
  return field('The old value works for', null, options('overlap', OVERLAPS, '86400'));
}

/**
 * Reads the form into the body of `POST /keys`: fields left empty are left out. Pure.
 * @param {{ get(name: string): string | null }} fields
 * @param {string} team
 */
export function toKeyWish(fields, team) {
  const textOf = (name) => (fields.get(name) ?? '').trim();
  const names = ['requests_per_minute', 'tokens_per_minute', 'concurrent'].filter((name) => textOf(name) !== '');
  const models = textOf('models')
    .split(',')
    .map((glob) => glob.trim())
    .filter(Boolean);
  return {
    team,
    name: textOf('name'),
    ...(textOf('limit') !== '' && { limit: Number(textOf('limit')), limit_reset: textOf('limit_reset') || null }),
    ...(names.length > 0 && { limits: Object.fromEntries(names.map((name) => [name, Number(textOf(name))])) }),
    ...(models.length > 0 && { models }),
    ...(textOf('policy') !== '' && { policy: textOf('policy') }),
    ...(textOf('expires') !== '' && { expires_at: `${textOf('expires')}T00:00:00Z` }),
  };
}
