import { z } from 'zod';

/** Kinds of bodies told apart for one contract; bodies of further kinds are read by the whole of it. */
const PARTS_MAX = 64;

interface Parts<Contract> {
  /** Fields that say nothing where they are absent. */
  silent: ReadonlySet<string>;
  /** By the silent fields that a body has, in its order. */
  byFields: Map<string, Contract>;
}

const partsOf = new WeakMap<z.ZodType, Parts<z.ZodType>>();

/**
 * Finds the part of a contract that a body can fulfil or break: without the optional fields that it lacks. Reading by the part comes to the same
 * as reading by the whole; a body has few of the fields that there are, and each one costs a call. Contracts of other kinds than objects are returned whole.
 */
export function contractPart<Contract extends z.ZodType>(contract: Contract, body: unknown): Contract {
  if (!(contract instanceof z.ZodObject) || typeof body !== 'object' || body === null) return contract;
  let parts = partsOf.get(contract);
  if (parts === undefined) partsOf.set(contract, (parts = { silent: silentFields(contract), byFields: new Map() }));
  let fields = '';
  for (const name in body) if (parts.silent.has(name)) fields += `${name} `;
  const known = parts.byFields.get(fields);
  if (known !== undefined) return known as Contract;
  if (parts.byFields.size >= PARTS_MAX) return contract;
  const part = without(contract, (name) => parts.silent.has(name) && !(name in body));
  parts.byFields.set(fields, part);
  return part as unknown as Contract;
}

/** Absence is fine for them, and nothing comes out of it: no default, no transformation. */
function silentFields({ shape }: z.ZodObject): ReadonlySet<string> {
  const isSilent = (field: z.core.$ZodType): boolean => field._zod.optin === 'optional' && field._zod.optout === 'optional';
  return new Set(Object.keys(shape).filter((name) => isSilent(shape[name] as z.core.$ZodType)));
}

function without(contract: z.ZodObject, isLeftOut: (name: string) => boolean): z.ZodObject {
  const shape = Object.fromEntries(Object.entries(contract.shape).filter(([name]) => !isLeftOut(name)));
  return contract.clone({ ...contract.def, shape });
}
