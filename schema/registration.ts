/** Registered endpoints: who operates them, where they stand on their way into traffic, and what operators send. DESIGN §8. */
import { z } from 'zod';
import { literal, manifestEndpoint } from './manifest.ts';
import { digest } from './digest.ts';
import { nodeDescription, nodeId } from './node.ts';

/**
 * Where a registered endpoint stands. `pending`: its operator has not proven that it is theirs, or its node has not connected or cannot serve it now. `probing`: it is
 * being looked at. `probation`: it serves a small share of the traffic. `active`. `draining`: it gets nothing new. `retired`: it has left.
 * `quarantined`: it was found out, or failed its probes; only a manager or a passed probe brings it back.
 */
export const REGISTRATION_STATES = ['pending', 'probing', 'probation', 'active', 'draining', 'retired', 'quarantined'] as const;
export const registrationState = z.enum(REGISTRATION_STATES);
export type RegistrationState = z.infer<typeof registrationState>;

/** State → states that may follow. */
export const TRANSITIONS: Readonly<Record<RegistrationState, readonly RegistrationState[]>> = {
  pending: ['probing', 'retired', 'quarantined'],
  probing: ['pending', 'probation', 'active', 'quarantined', 'draining', 'retired'],
  probation: ['active', 'probing', 'draining', 'quarantined', 'retired', 'pending'],
  active: ['probation', 'probing', 'draining', 'quarantined', 'retired', 'pending'],
  draining: ['probing', 'probation', 'active', 'retired', 'quarantined', 'pending'],
  quarantined: ['probing', 'retired', 'pending'],
  retired: ['pending', 'quarantined'],
};

/** States in which an endpoint is in the catalogue's snapshot. */
export const SERVING_STATES: ReadonlySet<RegistrationState> = new Set(['probation', 'active'] as const);

/** The body of `POST /endpoints`: an endpoint as the manifest writes it, with its key itself instead of a secret's name. */
export const createEndpoint = manifestEndpoint
  .omit({ provider: true, key: true, link: true })
  .required({ url: true })
  .extend({
    key: literal.optional().describe('The key that the endpoint asks for. Kept sealed, sent to its own address only, never shown again.'),
    operator: nodeId.optional().describe('Id of the operator, for management keys; an operator key names its own.'),
  })
  .meta({ id: 'CreateEndpoint' });
export type CreateEndpoint = z.infer<typeof createEndpoint>;

/** The body of `PATCH /endpoints/{id}`: what is absent stays. A new `url` must be proven again; `state` is for draining, returning and, for managers, quarantine. */
export const updateEndpoint = createEndpoint
  .omit({ id: true, operator: true })
  .partial()
  .extend({
    state: z
      .enum(['draining', 'active', 'quarantined'])
      .optional()
      .describe('`draining`: give it nothing new. `active`: return it to service, by way of a probe. `quarantined`: for managers.'),
    vouched: z
      .boolean()
      .optional()
      .describe(
        'For managers. `true`: it needs no probation, and no proof of its address, and is let out of quarantine. `false`: it earns its way like any other.',
      ),
    reason: z.string().trim().min(1).max(300).optional().describe('Why, for the history.'),
  })
  .meta({ id: 'UpdateEndpoint' });
export type UpdateEndpoint = z.infer<typeof updateEndpoint>;

/** The body of `POST /operators`. */
export const createOperator = z
  .strictObject({
    id: nodeId.describe('Name of the operator.'),
    name: z.string().trim().min(1).max(100).optional(),
    team: z.string().min(1).max(64).optional().describe('Team whose requests alone its endpoints serve; absent: everybody’s.'),
  })
  .meta({ id: 'CreateOperator' });
export type CreateOperator = z.infer<typeof createOperator>;

/** The body of `POST /nodes/tokens`. The token joins one node, once. */
export const createJoinToken = z
  .strictObject({
    operator: nodeId.optional().describe('Id of the operator, for management keys.'),
    node: nodeId
      .optional()
      .describe('The only name that the node may take, for example that of a `link: tunnel` endpoint of the manifest.'),
    expires_s: z.int().min(60).max(604_800).default(3_600).describe('Seconds until the token is worth nothing.'),
  })
  .meta({ id: 'CreateJoinToken' });
export type CreateJoinToken = z.infer<typeof createJoinToken>;

/** A node's wishes for one of its models: what callers name, and its price. */
const servedModel = z.strictObject({
  upstream_model: z.string().min(1).max(300),
  model: manifestEndpoint.shape.model,
  price: manifestEndpoint.shape.price,
});

/** The body of `POST /nodes/join`, sent with the join token as bearer. Answered once for each token. */
export const joinNode = z
  .strictObject({
    node: nodeId.describe('Name of the node; its endpoints are called after it.'),
    public_key: z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected a raw Ed25519 public key in base64')
      .describe('Ed25519, raw, base64.'),
    team: z.string().min(1).max(64).optional().describe('Team whose requests alone it serves; only the token’s own.'),
    models: z.array(servedModel).min(1).max(50),
    max_concurrency: manifestEndpoint.shape.max_concurrency,
    jurisdiction: manifestEndpoint.shape.jurisdiction,
    description: nodeDescription.describe('What it says of itself; probes check it.'),
  })
  .meta({ id: 'JoinNode' });
export type JoinNode = z.infer<typeof joinNode>;

/** The address under which a node's endpoints stand in the catalogue. */
export const TUNNEL_SCHEME = 'tunnel:';

/** Reads the node out of an address such as `tunnel:rig-4090/chat/completions`; null for every other address. */
export function nodeOfAddress(url: string): string | null {
  if (!url.startsWith(TUNNEL_SCHEME)) return null;
  const [node = ''] = url.slice(TUNNEL_SCHEME.length).split('/');
  return node === '' ? null : node;
}

/** Answers whether an address is that of a node, and nothing else: `tunnel:` and the node's name. */
export function isNodeAddress(url: string): boolean {
  return url.startsWith(TUNNEL_SCHEME) && nodeId.safeParse(url.slice(TUNNEL_SCHEME.length)).success;
}

/** What names of secrets begin with that are keys of registered endpoints; no variable can be called so. */
export const ENDPOINT_KEY_PREFIX = 'endpoint:';

/** Names the key of a registered endpoint after the endpoint and the origin that it may be sent to: at another origin it has another name (K1). */
export function endpointKeyName(endpointId: string, origin: string): string {
  return `${ENDPOINT_KEY_PREFIX}${endpointId}:${digest([origin])}`;
}
