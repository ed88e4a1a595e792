/** From zod contracts to the schemas of the document (JSON Schema 2020-12). */
import { z } from 'zod';
import { noteOn } from './field-notes.ts';
import { tidy, type JsonObject } from './tidy.ts';

export type { JsonObject } from './tidy.ts';

/** Which side writes it: what a client may send, or what it will get. */
export type Direction = 'input' | 'output';

const REF = '#/components/schemas/';

/** Collects schemas by name while operations refer to them. */
export interface Schemas {
  /** Converts a contract; one with an id becomes a component, and the answer a reference to it. */
  of(contract: z.ZodType, direction: Direction): JsonObject;
  /** Converts a contract in place: its own fields, whatever its id. */
  inline(contract: z.ZodType, direction: Direction): JsonObject;
  /** All components so far, by name. */
  components(): Record<string, JsonObject>;
}

/** Opens an empty collection. */
export function createSchemas(): Schemas {
  const components = new Map<string, JsonObject>();

  function add(name: string, schema: JsonObject): void {
    const known = components.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas are called ${name}`);
    components.set(name, schema);
  }

  return {
    of(contract, direction) {
      const { schema, definitions } = convert(contract, direction);
      for (const [name, definition] of definitions) add(name, definition);
      return schema;
    },
    inline(contract, direction) {
      const { schema, definitions } = convert(contract, direction);
      const own = new Map(definitions).get(contract.meta()?.id ?? '');
      return own ?? schema;
    },
    components: () => Object.fromEntries([...components].toSorted(([one], [other]) => (one < other ? -1 : 1))),
  };
}

/** A schema, and the definitions that it refers to. A contract with an id is among them. */
interface Converted {
  schema: JsonObject;
  definitions: [name: string, definition: JsonObject][];
}

function convert(contract: z.ZodType, direction: Direction): Converted {
  const raw = z.toJSONSchema(contract, { io: direction, unrepresentable: 'any' });
  const moved = JSON.parse(JSON.stringify(raw).replaceAll('"#/$defs/', `"${REF}`)) as JsonObject;
  const { $defs = {}, ...schema } = tidy(moved, direction === 'output');
  const definitions = Object.entries($defs as Record<string, JsonObject>);
  const name = contract.meta()?.id;
  if (name !== undefined && !('$ref' in schema)) definitions.push([name, schema]);
  return {
    schema: name === undefined ? schema : { $ref: REF + name },
    definitions: direction === 'input' ? definitions.map(([name, definition]) => [name, withNotes(name, definition)]) : definitions,
  };
}

/** Adds what fields of requests mean where the contract does not say it itself. */
function withNotes(name: string, schema: JsonObject): JsonObject {
  const { properties } = schema as { properties?: Record<string, JsonObject> };
  if (properties === undefined) return schema;
  const noted = Object.entries(properties).map(([field, value]) => {
    const note = noteOn(name, field);
    return [field, note === undefined || 'description' in value ? value : { ...value, description: note }];
  });
  return { ...schema, properties: Object.fromEntries(noted) as JsonObject };
}
