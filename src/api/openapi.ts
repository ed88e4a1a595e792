/** `GET /openapi.json`: the HTTP contract, derived from the zod contracts and the error table. */
import type { Context } from 'hono';
import { z } from 'zod';
import { chatRequest } from '#schema/chat';
import { errorBody, errorTable } from '#schema/error';

type JsonObject = Record<string, unknown>;

interface Route {
  method: 'get' | 'post';
  path: string;
  summary: string;
  /** Absent: open to everybody. */
  needsKey?: boolean;
  body?: 'ChatRequest';
  parameters?: readonly JsonObject[];
  /** Content type of a good answer beside JSON. */
  streams?: boolean;
}

function query(name: string, description: string, required = false): JsonObject {
  return { name, in: 'query', required, description, schema: { type: 'string' } };
}

const MODEL_PATH = [
  { name: 'author', in: 'path', required: true, schema: { type: 'string' } },
  { name: 'slug', in: 'path', required: true, schema: { type: 'string' } },
];

const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/chat/completions',
    summary: 'Create a chat completion, whole or streamed',
    needsKey: true,
    body: 'ChatRequest',
    streams: true,
  },
  { method: 'post', path: '/explain', summary: 'Plan a chat request without dispatching it', needsKey: true, body: 'ChatRequest' },
  {
    method: 'get',
    path: '/models',
    summary: 'List models',
    parameters: [
      query('q', 'Part of an id or name'),
      query('supported_parameters', 'Comma-separated; all must be supported'),
      query('output_modalities', 'Comma-separated'),
      query('input_modalities', 'Comma-separated'),
      query('context', 'Least context in tokens'),
      query('offset', 'Models to skip'),
      query('limit', 'Models to list, at most 1000'),
    ],
  },
  { method: 'get', path: '/models/count', summary: 'Count models' },
  { method: 'get', path: '/models/{author}/{slug}', summary: 'Describe a model', parameters: MODEL_PATH },
  { method: 'get', path: '/models/{author}/{slug}/endpoints', summary: 'List the endpoints of a model', parameters: MODEL_PATH },
  {
    method: 'get',
    path: '/generation',
    summary: 'Fetch the receipt of a request',
    needsKey: true,
    parameters: [query('id', 'x-generation-id of the answer', true)],
  },
  { method: 'get', path: '/key', summary: 'Describe the calling key', needsKey: true },
];

/** Errors by HTTP status, as OpenAPI responses; one entry lists every code of that status. */
function errorResponses(): JsonObject {
  const byStatus = Map.groupBy(Object.entries(errorTable), ([, row]) => row.status);
  const entries = [...byStatus].map(([status, rows]) => [
    String(status),
    {
      description: rows.map(([code]) => code).join(', '),
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  ]);
  return Object.fromEntries(entries) as JsonObject;
}

function toOperation(route: Route, errors: readonly string[]): JsonObject {
  const ok = {
    'application/json': { schema: { type: 'object' } },
    ...(route.streams && { 'text/event-stream': { schema: { type: 'string' } } }),
  };
  return {
    summary: route.summary,
    ...(route.needsKey ? { security: [{ key: [] }] } : {}),
    ...(route.parameters && { parameters: route.parameters }),
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${route.body}` } } } },
    }),
    responses: {
      '200': { description: 'OK', content: ok },
      ...Object.fromEntries(errors.map((status) => [status, { $ref: `#/components/responses/${status}` }])),
    },
  };
}

function toSchema(contract: z.ZodType): JsonObject {
  const { $schema: _, $id: __, id: ___, ...schema } = z.toJSONSchema(contract, { io: 'input', unrepresentable: 'any' }) as JsonObject;
  return schema;
}

/** Moves `$defs` of a schema to the components, where every schema can point at them. */
function liftDefinitions(schemas: Record<string, JsonObject>): JsonObject {
  const lifted: JsonObject = {};
  for (const [name, { $defs, ...schema }] of Object.entries(schemas)) {
    lifted[name] = schema;
    for (const [definition, { $schema: _, id: __, ...body }] of Object.entries(($defs ?? {}) as Record<string, JsonObject>))
      lifted[definition] = body;
  }
  return JSON.parse(JSON.stringify(lifted).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonObject;
}

/** Builds the OpenAPI 3.1 document. Pure; about 20 KB. */
export function buildOpenapi(): JsonObject {
  const responses = errorResponses();
  const paths: Record<string, JsonObject> = {};
  for (const route of ROUTES) paths[route.path] = { ...paths[route.path], [route.method]: toOperation(route, Object.keys(responses)) };
  return {
    openapi: '3.1.0',
    info: { title: 'Headrace', version: '1', description: 'One OpenAI-compatible API over three kinds of supply.' },
    servers: [{ url: '/v1' }, { url: '/api/v1' }],
    paths,
    components: {
      schemas: liftDefinitions({ ChatRequest: toSchema(chatRequest), Error: toSchema(errorBody) }),
      responses,
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'sk-hr-…' } },
    },
  };
}

let document: JsonObject | undefined;

/** Answers with the OpenAPI document, built once per isolate. */
export function serveOpenapi(c: Context): Response {
  document ??= buildOpenapi();
  return c.json(document);
}
