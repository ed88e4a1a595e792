/** The failing answers of operations, derived from the error table. */
import { errorBody, errorTable, type ErrorCode } from '#schema/error';
import { messagesError } from '#schema/answers/messages';
import { generates, routes, type Description, type ErrorShape } from './description.ts';
import type { JsonObject, Schemas } from './schemas.ts';

const CONTRACTS = { chat: errorBody.meta({ id: 'Error' }), messages: messagesError } as const;
const PREFIX: Record<ErrorShape, string> = { chat: 'Error', messages: 'MessagesError' };

type Row = [ErrorCode, (typeof errorTable)[ErrorCode]];
const ROWS = Object.entries(errorTable) as Row[];
const CODES_BY_STATUS = Map.groupBy(ROWS, ([, { status }]) => status);

/** Failures of endpoints and of paying for them. */
const GENERATION_ONLY = [402, 422, 429, 502, 504];

/** Lists the statuses that an operation can fail with. */
export function statusesOf(description: Description, takesPath: boolean): number[] {
  const { key, body, query, tag } = description;
  if (description.upgrades === true) return [404, 426, 429, 503];
  if (key === 'none') return [];
  const happens: Record<number, boolean> = {
    400: body !== undefined || query !== undefined,
    403: key === 'inference' || key === 'management' || tag === 'Supply',
    404: takesPath || routes(description) || tag === 'Routing',
    409: generates(description) || ((key === 'management' || tag === 'Supply') && body !== undefined),
    // A path that is described takes its method.
    405: false,
    413: body !== undefined,
    415: body !== undefined,
    426: false,
    ...Object.fromEntries(GENERATION_ONLY.map((status) => [status, generates(description) || (status === 429 && tag === 'Supply')])),
  };
  return [...CODES_BY_STATUS.keys()].filter((status) => happens[status] ?? true);
}

/** Refers to the components that describe failures of these statuses. */
export function referErrors(statuses: readonly number[], shape: ErrorShape): JsonObject {
  return Object.fromEntries(statuses.map((status) => [String(status), { $ref: `#/components/responses/${PREFIX[shape]}${status}` }]));
}

/** Builds the components, every status in both shapes. */
export function errorComponents(schemas: Schemas): JsonObject {
  const shapes = Object.keys(PREFIX) as ErrorShape[];
  return Object.fromEntries(
    shapes.flatMap((shape) =>
      [...CODES_BY_STATUS].map(([status, rows]) => [`${PREFIX[shape]}${status}`, toResponse(rows, shape, schemas)]),
    ),
  );
}

function toResponse(rows: readonly Row[], shape: ErrorShape, schemas: Schemas): JsonObject {
  const headers = rows.some(([, { retryable }]) => retryable) ? ['retry-after'] : [];
  if (rows.some(([, { status }]) => status === 429)) headers.push('retry-after-ms');
  return {
    description: rows.map(([code]) => `\`${code}\``).join(', '),
    headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: { 'application/json': { schema: schemas.of(CONTRACTS[shape], 'output') } },
  };
}
