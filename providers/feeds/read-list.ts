/** Walks a list of models, whatever it turns out to be: items one by one, complaints in words, both bounded. */
import type { FeedReading, ListedModel } from '#schema/listed-model';

/** A model of a list before it has been read. */
export type Item = Readonly<Record<string, unknown>>;
/** Says what is wrong with the model at hand. */
export type Complain = (problem: string) => void;

const ITEMS_MAX = 5_000;
const PROBLEMS_MAX = 100;
const ID_CHARS_MAX = 300;
/** Printable, no spaces: it goes into requests, and into endpoint ids. */
const ID = /^[\x21-\x7e]+$/;

/** Reads every model of a document: an array, or one under `data`, `models` or `result`. Never throws. */
export function readList(
  document: unknown,
  read: (item: Item, complain: Complain) => Omit<ListedModel, 'upstreamModel'> | null,
): FeedReading {
  const items = itemsOf(document);
  if (items === null) return { models: [], problems: ['the document holds no list of models'] };
  const problems: string[] = [];
  const complain = (problem: string): void => void (problems.length < PROBLEMS_MAX && problems.push(problem));
  if (items.length > ITEMS_MAX) complain(`${items.length} models are listed; the first ${ITEMS_MAX} are read`);
  const models = new Map<string, ListedModel>();
  for (const item of items.slice(0, ITEMS_MAX)) {
    const id = isItem(item) ? idOf(item) : null;
    if (id === null) complain('a model without a usable id');
    else {
      const listed = read(item as Item, (problem) => complain(`${id.slice(0, 100)}: ${problem}`));
      if (listed !== null && models.has(id)) complain(`${id.slice(0, 100)}: is listed twice; the first stands`);
      else if (listed !== null) models.set(id, { upstreamModel: id, ...listed });
    }
  }
  return { models: [...models.values()], problems };
}

function itemsOf(document: unknown): readonly unknown[] | null {
  if (Array.isArray(document)) return document;
  if (!isItem(document)) return null;
  return [document.data, document.models, document.result].find((list) => Array.isArray(list)) ?? null;
}

function idOf({ id, name }: Item): string | null {
  const named = typeof id === 'string' ? id : id === undefined ? name : null;
  return typeof named === 'string' && named.length <= ID_CHARS_MAX && ID.test(named) ? named : null;
}

/** Tells an object from everything else that JSON can hold. */
export function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Finds what stands at a path such as `metadata.pricing.input_tokens`; undefined where nothing does. */
export function at(item: unknown, path: string): unknown {
  let found = item;
  for (const name of path.split('.')) {
    if (!isItem(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}
