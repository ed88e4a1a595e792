/** The parts of the OpenAPI document that the page shows. It is our own, so what is not read here is not checked either. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: (string | number)[];
  const?: string | number | boolean | null;
  format?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  additionalProperties?: Schema | boolean;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  description?: string;
  schema: Schema;
  example?: string;
}

type Content = Record<string, { schema: Schema; example?: unknown }>;

export interface Operation {
  operationId: string;
  tags: [string];
  summary: string;
  description?: string;
  security: Record<string, unknown>[];
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { content: Content };
  responses: Record<string, { $ref: string } | { description: string; content: Content }>;
}

export type PathItem = { servers?: { url: string }[] } & { [method: string]: Operation };

export interface OpenapiDocument {
  info: { title: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, { description: string }>;
    parameters: Record<string, { description: string }>;
    headers: Record<string, { description: string }>;
    securitySchemes: Record<string, { name?: string; description: string }>;
  };
}

/** An operation with its place. */
export interface Place {
  method: string;
  /** As it is called, the first base included. */
  path: string;
  operation: Operation;
}

const METHODS = ['get', 'post', 'patch', 'delete'];
const FIRST_BASE = '/v1';

/** Lists the operations in the order of the document. */
export function listPlaces({ paths }: OpenapiDocument): Place[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ method, path: (item.servers ? '' : FIRST_BASE) + path, operation }] : [];
    }),
  );
}

/** The parameters that are not headers; headers stand once on the page. */
export function ownParameters({ parameters = [] }: Operation): Parameter[] {
  return parameters.filter((parameter): parameter is Parameter => !('$ref' in parameter));
}

/** The name of the component that a reference is to. */
export function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** Finds what a reference is to. */
export function resolve(schema: Schema, { components }: OpenapiDocument): Schema {
  return schema.$ref ? (components.schemas[nameOf(schema.$ref)] ?? {}) : schema;
}
