/** Operators, the endpoints that they register and the nodes that join, as operators and managers see them. Prices in USD per million tokens. */
import { z } from 'zod';
import { capability, dialectId, kvCodec, quantization, supplyKind } from '#schema/catalog';
import { nodeDescription } from '#schema/node';
import { probeReport } from '#schema/probe';
import { registrationState } from '#schema/registration';

const usd = z.number().nonnegative();
const instant = z.iso.datetime();
const paged = { next_cursor: z.string().nullable().describe('For the query of the next page; null on the last') };

const operator = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    team: z.string().nullable().describe('The team whose requests alone its endpoints serve; null: everybody’s'),
    clean_completions: z.int().nonnegative().describe('Requests of clients that its endpoints have completed'),
    traffic_share: z.number().describe('Share of the traffic that its endpoints are given during their probation'),
    next_stage_at: z.int().nullable().describe('Clean completions at which that share grows; null where it is whole'),
    endpoints: z.int().nonnegative(),
    nodes: z.int().nonnegative(),
    created_at: instant,
  })
  .meta({ id: 'Operator' });

const served = {
  requests: z.int().nonnegative().describe('Requests of clients that were completed there'),
  prompt_tokens: z.int().nonnegative(),
  completion_tokens: z.int().nonnegative(),
  usd: usd.describe('What the books credit for it, at the prices of that moment'),
};

const operatorWithEarnings = operator
  .extend({
    earned: z.strictObject({
      since: instant,
      until: instant,
      ...served,
      endpoints: z.array(z.strictObject({ id: z.string(), ...served })).describe('Those that earned most first, retired ones too'),
    }),
  })
  .meta({ id: 'OperatorWithEarnings' });

const operatorKey = z.strictObject({
  hash: z.string().describe('By which it is revoked'),
  label: z.string().describe('What can be shown of it'),
  created_at: instant,
});

export const operatorKeyList = z.strictObject({ data: z.array(operatorKey) }).meta({ id: 'OperatorKeyList' });
export const revokedOperatorKey = z.strictObject({ deleted: z.literal(true) }).meta({ id: 'RevokedOperatorKey' });
export const operatorList = z.strictObject({ data: z.array(operator), ...paged }).meta({ id: 'OperatorList' });
export const operatorData = z.strictObject({ data: operatorWithEarnings }).meta({ id: 'OperatorData' });
export const createdOperator = z
  .strictObject({ data: operator, key: z.string().describe('An operator key, shown this once') })
  .meta({ id: 'CreatedOperator' });
export const deletedOperator = z.strictObject({ deleted: z.literal(true) }).meta({ id: 'DeletedOperator' });

const registrationEvent = z.strictObject({
  at: instant,
  from: registrationState.nullable(),
  to: registrationState,
  reason: z.string().nullable(),
  actor: z.string().describe('Id of a key, `node:<id>`, `probe` or `schedule`'),
});

const endpointPrice = z.strictObject({
  prompt: usd,
  completion: usd,
  cache_read: usd.optional(),
  cache_write: usd.optional(),
  request: usd,
  image: usd.optional(),
  search: usd.optional(),
  second: usd.optional(),
  character: usd.optional(),
});

const registeredEndpoint = z
  .strictObject({
    id: z.string(),
    operator: z.string(),
    node: z.string().nullable().describe('The node that serves it; null where it has an address of its own'),
    model: z.string().describe('What callers name'),
    upstream_model: z.string().describe('What the endpoint calls it'),
    url: z.string().nullable(),
    supply: supplyKind,
    state: registrationState,
    reason: z.string().nullable(),
    since: instant,
    challenge: z
      .strictObject({ url: z.string(), body: z.string() })
      .nullable()
      .describe('What the endpoint must serve to prove that it is its operator’s; null where nothing is to be proven'),
    proven_at: instant.nullable(),
    vouched: z
      .strictObject({ by: z.string().describe('Id of the management key; `manager` where that was not noted'), at: instant })
      .nullable()
      .describe('The manager who lets it in without probation; null where nobody does'),
    declared: z.strictObject({
      team: z.string().nullable(),
      dialect: dialectId,
      engine: z.string().nullable(),
      hardware: z.strictObject({ gpu: z.string(), count: z.int() }).nullable(),
      weights: quantization,
      kv_cache: kvCodec,
      context: z.int(),
      max_output: z.int().nullable(),
      max_concurrency: z.int().nullable(),
      capabilities: z.array(capability),
      jurisdiction: z.array(z.string()),
      data_policy: z.strictObject({ trains: z.boolean().nullable(), retention_days: z.int().nullable(), source: z.literal('operator') }),
      has_key: z.boolean().describe('Whether it asks for a key, which is kept sealed'),
    }),
    seen: probeReport.nullable().describe('What the last probe has seen'),
    probed_at: instant.nullable(),
    expected: z
      .strictObject({
        ttft_ms: z.number().nullable(),
        tpot_ms: z.number().nullable(),
        source: z.enum(['probe', 'node', 'model']),
      })
      .nullable()
      .describe('What routing expects of it until requests say better'),
    capacity: z.strictObject({ pool_tokens: z.int().nullable(), max_sequences: z.int().nullable() }).nullable(),
    price: endpointPrice.nullable().describe('What is charged'),
    held_price: z
      .strictObject({
        price: endpointPrice,
        reason: z.string(),
        asked_at: instant,
        state: z.enum(['held', 'rejected']).describe('`held`: a manager is asked, and what was charged before is charged meanwhile'),
      })
      .nullable()
      .describe('A price that its operator asks and that rises further than prices do; null where none waits'),
    traffic_share: z.number().min(0).max(1).describe('Share of the traffic that it is given; 0 where it gets none'),
    history: z.array(registrationEvent).optional().describe('Newest first'),
  })
  .meta({ id: 'RegisteredEndpoint' });
export type RegisteredEndpointBody = z.infer<typeof registeredEndpoint>;

export const registeredEndpointList = z
  .strictObject({ data: z.array(registeredEndpoint), ...paged })
  .meta({ id: 'RegisteredEndpointList' });
export const registeredEndpointData = z.strictObject({ data: registeredEndpoint }).meta({ id: 'RegisteredEndpointData' });
export const probedEndpoint = z
  .strictObject({
    data: registeredEndpoint,
    report: probeReport
      .nullable()
      .describe('Null where there was nothing to probe: not proven, not connected, drained, or looked at already'),
  })
  .meta({ id: 'ProbedEndpoint' });

const node = z
  .strictObject({
    id: z.string(),
    operator: z.string(),
    linked: z.boolean().nullable().describe('Whether it is connected; null where its link does not answer'),
    linked_at: instant.nullable(),
    draining: z.boolean().describe('It gets nothing new'),
    trouble: z.string().nullable().describe('Why it can serve nothing now, in its own words; null where it can'),
    streams: z.int().nonnegative().nullable().describe('Requests under way; null where nothing tells'),
    load: z
      .strictObject({ running: z.int(), waiting: z.int(), kv_usage: z.number().nullable() })
      .nullable()
      .describe('What its engine has last said'),
    joined_at: instant,
    description: nodeDescription.describe('What it says of itself'),
    endpoints: z.array(registeredEndpoint).describe('Those that it has registered; none for a node of the manifest'),
  })
  .meta({ id: 'Node' });

export const nodeList = z.strictObject({ data: z.array(node), ...paged }).meta({ id: 'NodeList' });
export const nodeData = z.strictObject({ data: node }).meta({ id: 'NodeData' });
export const deletedNode = z.strictObject({ deleted: z.literal(true) }).meta({ id: 'DeletedNode' });
export const joinedNode = z
  .strictObject({
    data: node,
    endpoints: z.array(z.string()).describe('Ids of its endpoints'),
    router: z.string().describe('How the node has called the router; it signs this when it opens its link'),
    link: z.string().describe('Path at which it opens its link'),
  })
  .meta({ id: 'JoinedNode' });
export const mintedJoinToken = z
  .strictObject({ token: z.string().describe('Joins one node, once; shown this once'), expires_at: instant, operator: z.string() })
  .meta({ id: 'MintedJoinToken' });

/** The body of `POST /nodes/{id}/drain`. */
export const drainNode = z
  .strictObject({ on: z.boolean().default(true).describe('False: it takes requests again.') })
  .meta({ id: 'DrainNode' });
