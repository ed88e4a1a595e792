/** Headers of requests and answers. */
import type { JsonObject } from './schemas.ts';

const REQUEST_NOTES = {
  'x-session-id': 'Groups requests, so that they meet warm caches; `session_id` in the body wins.',
  'x-headrace-policy': 'Name of a stored policy that holds as well; `provider.policy` in the body wins.',
  'x-openrouter-metadata': '`enabled` adds `openrouter_metadata` to the answer: how the request was routed.',
} as const;

const ANSWER_NOTES = {
  'x-generation-id': 'Id of the generation, good for `GET /generation`; on failures, too, once a request was admitted.',
  'x-request-id': 'The same id, where OpenAI’s SDK looks for it; on messages it is called `request-id`.',
  'x-headrace-endpoint': 'The endpoint that served.',
  'x-headrace-provider': 'Its provider.',
  'x-headrace-supply': 'Its kind of supply: `subnet`, `selfhosted` or `centralized`.',
  'x-headrace-tier': 'The privacy tier that its claims reach.',
  'x-headrace-policy': 'The policy that held.',
  'x-headrace-attempts': 'How many endpoints were tried.',
  'retry-after': 'Seconds to wait before trying again.',
} as const;

/** Builds the components for requests. */
export function headerParameterComponents(): JsonObject {
  const entries = Object.entries(REQUEST_NOTES);
  return Object.fromEntries(entries.map(([name, description]) => [name, { name, in: 'header', description, schema: { type: 'string' } }]));
}

/** What every operation takes that plans a route. */
export const ROUTING_PARAMETERS: readonly JsonObject[] = Object.keys(REQUEST_NOTES).map((name) => ({
  $ref: `#/components/parameters/${name}`,
}));

/** Builds the components for answers. */
export function headerComponents(): JsonObject {
  return Object.fromEntries(Object.entries(ANSWER_NOTES).map(([name, description]) => [name, { description, schema: { type: 'string' } }]));
}

/** What every generation carries. */
export const GENERATION_HEADERS: JsonObject = Object.fromEntries(
  Object.keys(ANSWER_NOTES)
    .filter((name) => name.startsWith('x-'))
    .map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);
