/** `/operators`: whoever brings supply, for the holders of management keys and for operators themselves. */
import type { Context } from 'hono';
import { z } from 'zod';
import { toUsd } from '#schema/money';
import { readContract } from '#schema/read-contract';
import { createOperator } from '#schema/registration';
import { TRAFFIC_STAGES, trafficShareOf } from '#schema/staging';
import type { CountedOperator } from '#src/nodes/operators/operators-store';
import type { Hall } from '#src/serve';
import type { EndpointEarnings } from '#src/usage/earnings-store';
import { requireSupplyManager } from './caller.ts';
import { readBody } from './read-body.ts';
import { pageFields, toPage } from './read-page.ts';
import { readQuery } from './read-query.ts';

const BODY_BYTES_MAX = 16 * 1024;
const EARNED_DAYS = 30;

/** Query of `GET /operators`. */
export const operatorsQuery = z.strictObject(pageFields(1_000)).meta({ id: 'OperatorsQuery' });

/** Lists operators by id, a page at a time; the holder of an operator key sees itself. */
export async function serveOperators(hall: Hall, c: Context): Promise<Response> {
  const { cursor: afterId = null, limit } = readQuery(operatorsQuery, c);
  const manager = await requireSupplyManager(hall, c);
  const found = await hall.register.operators.list(manager, { afterId, limit: limit + 1 });
  return c.json(toPage(found.map(toOperatorBody), limit));
}

/** Makes an operator: 201, with its first key for the only time. */
export async function serveCreateOperator(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const wish = readContract(createOperator, await readBody(c.req.raw, BODY_BYTES_MAX));
  const { operator, token } = await hall.register.operators.create(manager, wish);
  return c.json({ data: toOperatorBody(operator), key: token }, 201);
}

/** Describes an operator and what it has earned in thirty days. Absent and out of reach are the same 404. */
export async function serveOperator(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const operator = await hall.register.operators.find(manager, idOf(c));
  return c.json({ data: { ...toOperatorBody(operator), earned: toEarnedBody(await hall.books.earnings(operator.id, EARNED_DAYS)) } });
}

/** Lists the keys of an operator; the keys themselves are nowhere. */
export async function serveOperatorKeys(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const keys = await hall.register.operators.keys(manager, idOf(c));
  return c.json({ data: keys.map(({ hash, label, createdAtMs }) => ({ hash, label, created_at: new Date(createdAtMs).toISOString() })) });
}

/** Makes a further key: 201, with the key for the only time. */
export async function serveCreateOperatorKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  const { operator, token } = await hall.register.operators.addKey(manager, idOf(c));
  return c.json({ data: toOperatorBody(operator), key: token }, 201);
}

/** Revokes one key of an operator; the others stay. */
export async function serveRevokeOperatorKey(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  await hall.register.operators.revokeKey(manager, idOf(c), c.req.param('hash') ?? '');
  return c.json({ deleted: true });
}

/** Removes an operator: its keys end, its endpoints retire, its nodes leave. */
export async function serveDeleteOperator(hall: Hall, c: Context): Promise<Response> {
  const manager = await requireSupplyManager(hall, c);
  await hall.register.operators.remove(manager, idOf(c));
  return c.json({ deleted: true });
}

function idOf(c: Context): string {
  return c.req.param('id') ?? '';
}

function toEarnedBody({ sinceMs, untilMs, rows }: Awaited<ReturnType<Hall['books']['earnings']>>) {
  const toServed = (served: readonly Omit<EndpointEarnings, 'endpointId'>[]) => {
    const sumOf = (field: keyof Omit<EndpointEarnings, 'endpointId'>) => served.reduce((sum, one) => sum + one[field], 0);
    return {
      requests: sumOf('requests'),
      prompt_tokens: sumOf('promptTokens'),
      completion_tokens: sumOf('completionTokens'),
      usd: toUsd(sumOf('earnedNanoUsd')),
    };
  };
  return {
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    ...toServed(rows),
    endpoints: rows.map((row) => ({ id: row.endpointId, ...toServed([row]) })),
  };
}

function toOperatorBody({ id, name, teamId, cleanCompletions, endpoints, nodes, createdAtMs }: CountedOperator) {
  return {
    id,
    name,
    team: teamId,
    clean_completions: cleanCompletions,
    traffic_share: trafficShareOf(cleanCompletions),
    next_stage_at: TRAFFIC_STAGES.find((stage) => stage.cleanCompletions > cleanCompletions)?.cleanCompletions ?? null,
    endpoints,
    nodes,
    created_at: new Date(createdAtMs).toISOString(),
  };
}
