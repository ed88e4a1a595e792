/** From a description to an operation of the document. */
import { z } from 'zod';
import { generates, routes, type Description, type MediaType } from './description.ts';
import { referErrors, statusesOf } from './errors.ts';
import { GENERATION_HEADERS, GENERATION_PARAMETERS, ROUTING_PARAMETERS } from './headers.ts';
import type { JsonObject, Schemas } from './schemas.ts';

const [author, slug] = 'openai/gpt-oss-120b'.split('/');
const PATH_PARAMETERS: Readonly<Record<string, object>> = {
  author: { description: 'First part of the model’s id.', example: author },
  slug: { description: 'The rest of the id. An alias stands alone, without an author.', example: slug },
  endpoint: { description: 'Id of the endpoint, as lists show it.', example: 'example-provider:openai/gpt-oss-120b' },
  hash: { description: 'SHA-256 of the key, as the list shows it.' },
  id: { description: 'Its id, as lists and answers show it.' },
  name: { description: 'Its name, as the list shows it.' },
};

/** Writes a pattern of the router as OpenAPI does; a model's name becomes author and slug. */
export function toTemplate(pattern: string): string {
  return pattern.replace(':name{.+}', '{author}/{slug}').replaceAll(/:(\w+)(?:\{\.\+\})?/g, '{$1}');
}

/** Builds the operation at a path. */
export function toOperation(description: Description, path: string, schemas: Schemas): JsonObject {
  const { id, tag, summary, text, key, errors = 'chat' } = description;
  const parameters = [
    ...pathParameters(path),
    ...queryParameters(description, schemas),
    ...(routes(description) ? ROUTING_PARAMETERS : []),
    ...(generates(description) ? GENERATION_PARAMETERS : []),
  ];
  const statuses = statusesOf(description, path.includes('{'));
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(text && { description: text }),
    security: securityOf(key, errors === 'messages'),
    ...(parameters.length > 0 && { parameters }),
    ...(description.body && { requestBody: toRequestBody(description, schemas) }),
    responses: { ...toSuccess(description, schemas), ...referErrors(statuses, errors) },
  };
}

function toSuccess(description: Description, schemas: Schemas): JsonObject {
  if (description.upgrades === true) return { 101: { description: 'A WebSocket.' } };
  return { [description.creates ? '201' : '200']: toAnswer(description, schemas) };
}

function securityOf(key: Description['key'], takesAnthropicKey: boolean): JsonObject[] {
  if (key === 'none') return [];
  if (key === 'operator') return [{ operatorKey: [] }, { managementKey: [] }];
  if (key === 'join token') return [{ joinToken: [] }];
  const keyed = key === 'management' ? { managementKey: [] } : { key: [] };
  return [keyed, ...(takesAnthropicKey ? [{ anthropicKey: [] }] : []), ...(key === 'optional' ? [{}] : [])];
}

function pathParameters(path: string): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...PATH_PARAMETERS[name],
    schema: { type: 'string' },
  }));
}

function queryParameters({ query, example = {}, body }: Description, schemas: Schemas): JsonObject[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemas.inline(query, 'input') as {
    properties?: Record<string, JsonObject>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: { ...schema, ...(Array.isArray(schema['default']) && { default: schema['default'].join(',') }) },
    ...(body === undefined && name in example && { example: example[name] }),
  }));
}

function toRequestBody({ body, form, example }: Description, schemas: Schemas): JsonObject {
  return {
    required: true,
    content: {
      ...(body && { 'application/json': { schema: schemas.of(body, 'input'), ...(example && { example }) } }),
      ...(form && { 'multipart/form-data': { schema: schemas.of(form, 'input') } }),
    },
  };
}

function toAnswer(description: Description, schemas: Schemas): JsonObject {
  const { answer, alsoAnswers = [], events, creates } = description;
  return {
    description: creates ? 'Made' : 'Good',
    ...(generates(description) && { headers: GENERATION_HEADERS }),
    content: {
      ...toContent(answer, schemas),
      ...Object.assign({}, ...alsoAnswers.map((type) => toContent(type, schemas))),
      ...(events && { 'text/event-stream': { schema: schemas.of(events, 'output') } }),
    },
  };
}

function toContent(answer: z.ZodType | MediaType, schemas: Schemas): JsonObject {
  if (answer instanceof z.ZodType) return { 'application/json': { schema: schemas.of(answer, 'output') } };
  return { [answer]: { schema: mediaSchema(answer) } };
}

function mediaSchema(type: MediaType): JsonObject {
  if (type.startsWith('audio/')) return { type: 'string', format: 'binary' };
  return type.endsWith('json') ? { type: 'object' } : { type: 'string' };
}
