import { describe, expect, it } from 'vitest';
import { buildOpenapi } from '#src/api/openapi/build';
import { DESCRIPTIONS } from '#src/api/openapi/descriptions';
import { noteOn, OWN, SHARED } from '#src/api/openapi/field-notes';
import { createSchemas } from '#src/api/openapi/schemas';

const contracts = Object.values(DESCRIPTIONS).flatMap((list) =>
  list.flatMap(({ body, form, query }) => [body, form, query].filter((contract) => contract !== undefined)),
);

/** Fields of requests by the name of their contract; policies are part of many. */
const fields = new Map(contracts.map((contract) => [contract.meta()?.id ?? '', propertiesOf(createSchemas().inline(contract, 'input'))]));
const { components } = buildOpenapi() as { components: { schemas: Record<string, { properties?: object }> } };
fields.set('ProviderPreferences', propertiesOf(components.schemas['ProviderPreferences'] ?? {}));

function propertiesOf(schema: { properties?: object }): Map<string, object> {
  return new Map(Object.entries(schema.properties ?? {}) as [string, object][]);
}

describe('notes on fields', () => {
  it('say what every field of every request means', () => {
    expect(fields.size).toBeGreaterThan(12);
    const silent = [...fields].flatMap(([name, own]) =>
      [...own]
        .filter(([field, schema]) => noteOn(name, field) === undefined && !('description' in schema))
        .map(([field]) => `${name}.${field}`),
    );
    expect(silent).toEqual([]);
  });

  it('are about fields that exist', () => {
    const all = new Set([...fields.values()].flatMap((own) => [...own.keys()]));
    const unused = [
      ...Object.keys(SHARED).filter((field) => !all.has(field)),
      ...Object.entries(OWN).flatMap(([name, notes]) =>
        Object.keys(notes)
          .filter((field) => !fields.get(name)?.has(field))
          .map((field) => `${name}.${field}`),
      ),
    ];
    expect(unused).toEqual([]);
  });

  it('are sentences', () => {
    for (const note of [...Object.values(SHARED), ...Object.values(OWN).flatMap(Object.values)]) expect(note).toMatch(/^[^a-z].*\.$/);
  });
});
