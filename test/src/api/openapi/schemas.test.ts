import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSchemas } from '#src/api/openapi/schemas';

const inner = z.strictObject({ size: z.int() }).meta({ id: 'TestInner' });

describe('schemas', () => {
  it('become components where a contract has an id, inside others too', () => {
    const schemas = createSchemas();
    expect(schemas.of(z.object({ inner }), 'input')).toMatchObject({ properties: { inner: { $ref: '#/components/schemas/TestInner' } } });
    expect(schemas.of(inner, 'input')).toEqual({ $ref: '#/components/schemas/TestInner' });
    expect(schemas.components()).toEqual({
      TestInner: { type: 'object', properties: { size: { type: 'integer' } }, required: ['size'], additionalProperties: false },
    });
  });

  it('forbid unknown fields in requests that the contract forbids them in, and never in answers', () => {
    expect(createSchemas().inline(z.strictObject({}), 'input')).toHaveProperty('additionalProperties', false);
    expect(createSchemas().inline(z.strictObject({}), 'output')).not.toHaveProperty('additionalProperties');
    expect(createSchemas().inline(z.looseObject({}), 'input')).not.toHaveProperty('additionalProperties');
  });

  it('say each choice once: unions of unions are one', () => {
    const schema = createSchemas().of(z.union([z.string(), z.literal(1).nullable()]).nullish(), 'input');
    expect(schema).toEqual({ anyOf: [{ type: 'string' }, { type: 'number', const: 1 }, { type: 'null' }] });
  });

  it('show what clients write, not what is read from it', () => {
    const contract = z.object({ limit: z.string().transform(Number).default(5) });
    expect(createSchemas().of(contract, 'input')).toMatchObject({ properties: { limit: { type: 'string' } } });
  });

  it('leave fields alone that have the names of keywords', () => {
    const contract = z.object({ id: z.string(), minimum: z.number(), anyOf: z.string() });
    expect(Object.keys(createSchemas().of(contract, 'output')['properties'] as object)).toEqual(['id', 'minimum', 'anyOf']);
  });

  it('refuse two that differ under one name', () => {
    const schemas = createSchemas();
    schemas.of(inner, 'input');
    expect(() => schemas.of(inner, 'output')).toThrow('two schemas are called TestInner');
  });
});
