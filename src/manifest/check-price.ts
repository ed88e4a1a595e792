/** Checks that a price says what everything costs that its endpoint can be asked for: what is left out would be given away. */
import { operationsOf, type Operation } from '#schema/catalog';
import { BILLED_OPERATION, pricedUnitsOf, type ManifestEndpoint, type PricedUnit } from '#schema/manifest';
import type { Complaint, Path } from './manifest-error.ts';

type Prices = NonNullable<ManifestEndpoint['price']>;

/** What must have a price where an operation is not billed by its unit. Pictures and sound have no tokens that could be held beforehand. */
const REQUIRED: Readonly<Record<Operation, readonly (keyof Prices)[]>> = {
  chat: ['prompt', 'completion'],
  completion: ['prompt', 'completion'],
  embeddings: ['prompt'],
  rerank: ['prompt'],
  images: ['image'],
  speech: ['character'],
  transcription: ['second'],
};

/** Lists what is wrong with an endpoint's price. `path` leads to the endpoint. */
export function checkPrice({ price, capabilities = [] }: ManifestEndpoint, path: Path): Complaint[] {
  if (price === undefined) return [];
  const operations = operationsOf(capabilities);
  const misfits = pricedUnitsOf(price).filter((unit) => !operations.has(BILLED_OPERATION[unit]));
  if (misfits.length > 0) return misfits.map((unit) => misfit(unit, path));
  const mixed = mixedUnits(price, operations, path);
  if (mixed.length > 0) return mixed;
  const missing = requiredFields(price, [...operations]).filter((field) => price[field] === undefined);
  return missing.map((field) => ({
    path: [...path, 'price', field],
    message: 'is required (a number): what has no price would be free',
  }));
}

function misfit(unit: PricedUnit, path: Path): Complaint {
  const message = `needs the capability \`${BILLED_OPERATION[unit]}\`, which this endpoint does not declare`;
  return { path: [...path, 'price', unit], onKey: true, message };
}

/** A price is for one unit, and every other unit that is counted would be charged as if it were that one: a ranking as a picture. */
function mixedUnits(price: Prices, operations: ReadonlySet<Operation>, path: Path): Complaint[] {
  const [unit] = pricedUnitsOf(price);
  if (unit === undefined) return [];
  const other = Object.values(BILLED_OPERATION).find((operation) => operation !== BILLED_OPERATION[unit] && operations.has(operation));
  if (other === undefined) return [];
  const message = `would be charged for \`${other}\` too, which this endpoint declares beside \`${BILLED_OPERATION[unit]}\`: make two endpoints of it`;
  return [{ path: [...path, 'price', unit], onKey: true, message }];
}

/** What is billed by its unit may cost nothing besides. */
function requiredFields(price: Prices, operations: readonly Operation[]): (keyof Prices)[] {
  const billed = pricedUnitsOf(price).map((unit) => BILLED_OPERATION[unit]);
  const others = operations.filter((operation) => !billed.includes(operation));
  return [...new Set(others.flatMap((operation) => REQUIRED[operation]))];
}
