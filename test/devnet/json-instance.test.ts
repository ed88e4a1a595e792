import { expect, test } from 'vitest';
import { toInstance } from '#devnet/json-instance';

test.each([
  [{ type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } }, required: ['a'] }, { a: 'simulated' }],
  [{ type: 'integer', minimum: 3, multipleOf: 5 }, 5],
  [{ type: 'integer', exclusiveMinimum: 3 }, 4],
  [{ type: 'number', minimum: -9, maximum: -2 }, -2],
  [{ type: 'string', minLength: 12, maxLength: 12 }, 'simulated si'],
  [{ type: 'string', format: 'date' }, '2026-01-01'],
  [{ type: 'array', items: { enum: ['x'] }, minItems: 2 }, ['x', 'x']],
  [{ anyOf: [{ const: 7 }, { type: 'null' }] }, 7],
  [{ type: ['null', 'string'] }, null],
  [{ $ref: '#/$defs/leaf', $defs: { leaf: { type: 'boolean' } } }, true],
  [
    {
      allOf: [
        { properties: { a: { const: 1 } }, required: ['a'] },
        { properties: { b: { const: 2 } }, required: ['b'] },
      ],
    },
    { a: 1, b: 2 },
  ],
  [{}, 'simulated'],
])('%j is satisfied by %j', (schema, instance) => {
  expect(toInstance(schema)).toEqual(instance);
});

test('I4: a schema that refers to itself ends, and one that asks for millions of items is bounded', () => {
  const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };
  expect(JSON.stringify(toInstance(endless)).length).toBeLessThan(1000);
  expect(toInstance({ type: 'array', minItems: 1e9, items: {} })).toHaveLength(64);
});

test('I3: a property called __proto__ stays a property', () => {
  const instance = toInstance(JSON.parse('{"type":"object","properties":{"__proto__":{"const":1}},"required":["__proto__"]}'));
  expect(JSON.stringify(instance)).toBe('{"__proto__":1}');
});
