/** Headers of requests and answers. */
import type { JsonObject } from './schemas.ts';

const REQUEST_NOTES = {
  'x-session-id': 'Groups requests, so that they meet warm caches; `session_id` in the body wins.',
  'x-headrace-policy': 'Name of a stored policy that holds as well; `provider.policy` in the body wins.',
  'x-openrouter-metadata': '`enabled` adds `openrouter_metadata` to the answer: how the request was routed.',
} as const;

/** Taken where something is generated. */
const GENERATION_NOTES = {
  'idempotency-key':
    'Up to 255 printable ASCII characters that name this request for a day. A repeat with the same API key and body gets the same answer and is not charged; 409 while the first still runs (with `Retry-After`), for another body, and where the answer was not kept.',
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
  'x-ratelimit-limit-requests': 'Requests that the tighter of team and key may begin in a minute (UTC); absent where nothing limits them.',
  'x-ratelimit-remaining-requests': 'How many of them are left.',
  'x-ratelimit-reset-requests': 'When they begin anew, such as `1s` or `59.5s`.',
  'x-ratelimit-limit-tokens': 'The same for tokens; requests under way count with what they may come to.',
  'x-ratelimit-remaining-tokens': 'How many of them are left.',
  'x-ratelimit-reset-tokens': 'When they begin anew.',
  'x-ratelimit-limit-concurrent': 'Requests that may be under way at once.',
  'x-ratelimit-remaining-concurrent': 'How many more may join.',
  'x-headrace-replayed': '`true` on the repeat of a request with an `Idempotency-Key`: the answer was given before.',
  'retry-after': 'Seconds to wait before trying again.',
  'retry-after-ms': 'The same in milliseconds, on a 429.',
} as const;

/** Builds the components for requests. */
export function headerParameterComponents(): JsonObject {
  const entries = Object.entries({ ...REQUEST_NOTES, ...GENERATION_NOTES });
  return Object.fromEntries(entries.map(([name, description]) => [name, { name, in: 'header', description, schema: { type: 'string' } }]));
}

/** What every operation takes that plans a route. */
export const ROUTING_PARAMETERS = referTo(REQUEST_NOTES);

/** What every operation takes beside that, if it generates. */
export const GENERATION_PARAMETERS = referTo(GENERATION_NOTES);

function referTo(notes: Readonly<Record<string, string>>): readonly JsonObject[] {
  return Object.keys(notes).map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

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
