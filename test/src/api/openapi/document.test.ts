import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CONSOLE_FILES } from '#src/api/console';
import { createApp, MOUNTS } from '#src/api/app';
import { OPENAPI_TEXT } from '#src/api/openapi';
import { buildOpenapi } from '#src/api/openapi/build';
import { DESCRIPTIONS, ROOT_DESCRIPTIONS } from '#src/api/openapi/descriptions';
import { toTemplate } from '#src/api/openapi/operation';
import type { Hall } from '#src/serve';

interface Parameter {
  name: string;
  in: string;
  description?: string;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  parameters?: Parameter[];
  responses: Record<string, object>;
  security: Record<string, unknown>[];
}
interface LocalManifest {
  aliases?: Record<string, string>;
  endpoints: { model: string }[];
}
type PathItem = Record<string, Operation>;
interface Document {
  openapi: string;
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, PathItem & { servers?: object }>;
  components: Record<string, Record<string, object>>;
}

const document = buildOpenapi() as unknown as Document;
/** Where a POST makes something. */
const MAKES = new Set([
  '/keys',
  '/keys/{hash}/rotate',
  '/credits',
  '/byok',
  '/operators',
  '/operators/{id}/keys',
  '/endpoints',
  '/nodes/tokens',
  '/nodes/join',
]);
const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete']);
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, operation]) => (METHODS.has(method) ? [{ path, method, operation: operation as Operation }] : [])),
);

/** Visits every schema under a value. */
function forEachSchema(value: unknown, visit: (schema: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) return value.forEach((item) => forEachSchema(item, visit));
  for (const [key, child] of Object.entries(value)) {
    if (key === 'example' || key === 'enum' || key === 'default') continue;
    if (key === 'properties') for (const schema of Object.values(child as object)) visitSchema(schema, visit);
    else if (key === 'schema' || key === 'items' || key === 'additionalProperties') visitSchema(child, visit);
    else if (key === 'anyOf' || key === 'oneOf' || key === 'allOf') for (const schema of child as unknown[]) visitSchema(schema, visit);
    else forEachSchema(child, visit);
  }
}

function visitSchema(schema: unknown, visit: (schema: Record<string, unknown>) => void): void {
  if (typeof schema !== 'object' || schema === null) return;
  visit(schema as Record<string, unknown>);
  forEachSchema(schema, visit);
}

describe('the description of the API', () => {
  it('is what the Worker serves: `npm run generate` has run', () => {
    expect(JSON.parse(OPENAPI_TEXT)).toEqual(document);
  });

  it('names exactly the paths and methods that are mounted, under both bases', () => {
    const mounted = createApp({} as Hall)
      .routes.filter(({ method }) => method !== 'OPTIONS' && method !== 'ALL')
      .map(({ method, path }) => `${method.toLowerCase()} ${toTemplate(path)}`)
      .filter((route) => !isPartOfPage(route));
    const described = operations.flatMap(({ path, method }) => {
      const bases = document.paths[path]?.servers ? [''] : MOUNTS;
      return bases.map((base) => `${method} ${base}${path}`);
    });
    // One pattern serves a model and its endpoints.
    const served = mounted.flatMap((route) =>
      /get \S+\/models\/\{author\}\/\{slug\}$/.test(route) ? [route, `${route}/endpoints`] : [route],
    );
    expect(described.toSorted()).toEqual([...new Set(served)].toSorted());
    expect(document.servers.map(({ url }) => url)).toEqual(MOUNTS);
  });

  /** Styles and scripts are parts of the pages that are described. */
  function isPartOfPage(route: string): boolean {
    const path = route.slice('get '.length);
    return path !== '/' && CONSOLE_FILES.has(path);
  }

  it('resolves every reference, and has no component that nothing refers to', () => {
    const referred = new Set([...JSON.stringify(document).matchAll(/"#\/components\/(\w+\/[\w.-]+)"/g)].map(([, name]) => name));
    const defined = Object.entries(document.components).flatMap(([kind, items]) => Object.keys(items).map((name) => `${kind}/${name}`));
    expect([...referred].filter((name) => !defined.includes(name ?? ''))).toEqual([]);
    expect(defined.filter((name) => /^(schemas|headers|parameters)/.test(name) && !referred.has(name))).toEqual([]);
  });

  it('gives every operation its own name, a known tag, and a known key', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations) {
      expect(tags).toContain(operation.tags[0]);
      for (const way of operation.security)
        for (const name of Object.keys(way)) expect(document.components['securitySchemes']).toHaveProperty(name);
    }
  });

  it('declares every parameter of every path, each described', () => {
    for (const { path, operation } of operations) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(inPath, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      for (const parameter of operation.parameters ?? [])
        if (parameter.in) expect(parameter.description, `${path} ${parameter.name}`).toMatch(/\.$/);
    }
  });

  it('says how each operation succeeds and how it can fail', () => {
    for (const { path, method, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      // What becomes a WebSocket asks for no key, and answers nothing itself.
      if (statuses[0] === '101') {
        expect(statuses, path).toEqual(['101', '404', '426', '429', '503']);
        continue;
      }
      expect(statuses[0], path).toBe(method === 'post' && MAKES.has(path) ? '201' : '200');
      if (!document.paths[path]?.servers) expect(statuses, path).toEqual(expect.arrayContaining(['401', '500', '503']));
    }
    expect(document.paths['/chat/completions']?.['post']?.responses).toMatchObject({ 429: { $ref: '#/components/responses/Error429' } });
    expect(document.paths['/messages']?.['post']?.responses).toMatchObject({ 429: { $ref: '#/components/responses/MessagesError429' } });
  });

  it('uses keywords of JSON Schema 2020-12 and no others, with names that `required` can mean', () => {
    const KEYWORDS =
      '$ref type properties required items anyOf oneOf allOf enum const format pattern minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems prefixItems additionalProperties description default not contentEncoding';
    const known = new Set(KEYWORDS.split(' '));
    forEachSchema(document, (schema) => {
      expect(Object.keys(schema).filter((keyword) => !known.has(keyword))).toEqual([]);
      const properties = Object.keys((schema['properties'] as object | undefined) ?? {});
      expect(properties).toEqual(expect.arrayContaining((schema['required'] as string[] | undefined) ?? []));
      const { pattern = '' } = schema as { pattern?: string };
      expect(() => new RegExp(pattern, 'u')).not.toThrow();
      // Unicode classes are unknown to engines outside JavaScript.
      expect(pattern).not.toMatch(/\\p\{/i);
    });
  });

  const described = Object.entries({ ...DESCRIPTIONS, ...ROOT_DESCRIPTIONS }).flatMap(([surface, list]) =>
    list.map((description) => ({ surface, description })),
  );

  it('shows examples that its own contracts accept', () => {
    for (const { surface, description } of described) {
      const { body, query, example } = description;
      if (body) expect(body.safeParse(example), surface).toMatchObject({ success: true });
      else if (query && example) expect(query.safeParse(example), surface).toMatchObject({ success: true });
    }
  });

  it('shows examples that `npm start` serves as they are', () => {
    const { aliases = {}, endpoints } = parse(readFileSync('examples/local.yaml', 'utf8')) as LocalManifest;
    const served = [...Object.keys(aliases), ...endpoints.map(({ model }) => model)];
    const asked = described.flatMap(({ description: { body, example } }) =>
      body && example && 'model' in example ? [example['model']] : [],
    );
    expect(asked.length).toBeGreaterThan(8);
    for (const model of asked) expect(served).toContain(model);
  });

  it('allows answers to grow: none forbids further fields', () => {
    for (const { surface, description } of described) {
      if (typeof description.answer === 'string') continue;
      const name = description.answer.meta()?.id ?? '';
      expect(document.components['schemas'], surface).toHaveProperty(name);
      forEachSchema({ schema: document.components['schemas']?.[name] }, (schema) => expect(schema['additionalProperties']).not.toBe(false));
    }
  });
});
