/** The difference between a deployment and a manifest, as people read it. */
import type { Change } from '#schema/change';
import type { Output, Paint, Style } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount } from '../quantities.ts';
import { cut } from '../table.ts';

const MARKS: Record<Change['action'], { mark: string; style: Style; note: string }> = {
  add: { mark: '+', style: 'green', note: '' },
  change: { mark: '~', style: 'yellow', note: '' },
  disable: { mark: '!', style: 'red', note: 'disabled; --prune deletes it' },
  remove: { mark: '-', style: 'red', note: '' },
};
/** Longer values are cut where nobody reads along: a list of two hundred models tells little. */
const VALUE_CHARACTERS_MAX = 200;

/** Lays changes out: a heading for each kind of thing, a line for each thing, a line for each field that changes. */
export function showChanges(changes: readonly Change[], { width, paint }: Pick<Output, 'width' | 'paint'>): string[] {
  const kinds = Map.groupBy(changes, ({ object }) => object);
  return [...kinds].flatMap(([kind, members]) => [
    paint('bold', toPlainText(kind)),
    ...showPublished(members, paint),
    ...members.filter((change) => !isPublished(change)).flatMap((change) => showChange(change, width, paint)),
  ]);
}

/** Kinds of things that a version of this house brings along, beside those that somebody wrote. */
const PUBLISHED_KINDS = new Set(['models', 'aliases', 'providers', 'endpoints', 'prices', 'claims']);

/** What comes and goes with the published catalogue has no fields: nobody wrote it. */
function isPublished({ object, action, fields }: Change): boolean {
  return PUBLISHED_KINDS.has(object) && (action === 'add' || action === 'remove') && Object.keys(fields).length === 0;
}

/** Counts what was published: hundreds of models would hide what somebody wrote. */
function showPublished(changes: readonly Change[], paint: Paint): string[] {
  return (['add', 'remove'] as const).flatMap((action) => {
    const count = changes.filter((change) => change.action === action && isPublished(change)).length;
    const { mark, style } = MARKS[action];
    return count === 0 ? [] : [`  ${paint(style, mark)} ${paint('dim', `${sayCount(count)} of the catalogue`)}`];
  });
}

function showChange({ id, action, fields }: Change, width: number, paint: Paint): string[] {
  const { mark, style, note } = MARKS[action];
  const title = `  ${paint(style, mark)} ${toPlainText(id)}`;
  if (action === 'add') {
    const facts = Object.entries(fields).map(([name, { to }]) => `${name}: ${sayValue(to)}`);
    const room = Math.min(width, VALUE_CHARACTERS_MAX) - id.length - 6;
    return [facts.length === 0 || room < 10 ? title : `${title}  ${paint('dim', cut(facts.join(', '), room))}`];
  }
  if (action !== 'change') return [note === '' ? title : `${title}  ${paint('dim', note)}`];
  const names = Object.keys(fields);
  const longest = Math.max(0, ...names.map((name) => name.length));
  const room = Math.max(20, Math.floor((Math.min(width, 2 * VALUE_CHARACTERS_MAX) - longest - 11) / 2));
  return [
    title,
    ...Object.entries(fields).map(
      ([name, { from, to }]) =>
        `      ${toPlainText(name).padEnd(longest)}  ${paint('red', cut(sayValue(from), room))} → ${paint('green', cut(sayValue(to), room))}`,
    ),
  ];
}

/** Writes a value as a manifest would hold it. */
function sayValue(value: unknown): string {
  if (value === null || value === undefined) return '(none)';
  return toPlainText(typeof value === 'string' ? value : JSON.stringify(value));
}

const COUNT_MARKS = [
  ['add', '+'],
  ['change', '~'],
  ['disable', '!'],
  ['remove', '-'],
] as const;

/** Counts changes: `policies ~1, teams +1`. Empty when there are none. */
export function countChanges(changes: readonly Change[]): string {
  const kinds = Map.groupBy(changes, ({ object }) => object);
  return [...kinds].map(([kind, members]) => `${toPlainText(kind)} ${countActions(members)}`).join(', ');
}

function countActions(changes: readonly Change[]): string {
  return COUNT_MARKS.map(([action, mark]) => [mark, changes.filter((change) => change.action === action).length] as const)
    .filter(([, count]) => count > 0)
    .map(([mark, count]) => `${mark}${count}`)
    .join(' ');
}
