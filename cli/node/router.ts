/** The router's API as a node uses it: it joins with a token, and signs everything else with its own key. */
import { z } from 'zod';
import { requestStatement } from '#schema/node-link';
import type { JoinNode } from '#schema/registration';
import { createClient, type Client } from '../router/client.ts';
import { CommandError } from '../command-error.ts';
import type { KeyPair } from './identity/key-pair.ts';

/** USD per million tokens. */
const price = z.object({ prompt: z.number(), completion: z.number() });
const heldPrice = z.object({ price, reason: z.string(), state: z.enum(['held', 'rejected']) });

/** A price that an endpoint of the node asks and that is not charged: a manager is asked, or has said no. */
export interface HeldPrice {
  endpoint: string;
  /** What is charged meanwhile; null where nothing is. */
  charged: z.infer<typeof price> | null;
  held: z.infer<typeof heldPrice>;
}

/** A node that has joined, or come again: the ids of its endpoints, and their prices that are not charged as asked. */
export interface Joined {
  endpoints: string[];
  heldPrices: HeldPrice[];
}

const pricedEndpoint = z.object({ id: z.string(), price: price.nullable(), held_price: heldPrice.nullable() });
/** What of the answer to a join counts here; a router of an older version tells of no held prices. */
const joined = z.object({
  endpoints: z.array(z.string().max(200)).max(200),
  data: z
    .object({ endpoints: z.array(pricedEndpoint) })
    .nullable()
    .catch(null),
});

/** Joins with a token. Throws RefusedError, Unreachable, and what `readJoined` throws. */
export async function joinRouter(url: string, token: string, body: JoinNode): Promise<Joined> {
  return readJoined(url, await createClient({ url, key: token }).post<unknown>('/nodes/join', body));
}

/** Reads the answer to a join. Throws CommandError for one that no router gives. */
export function readJoined(url: string, body: unknown): Joined {
  const answer = joined.safeParse(body);
  if (!answer.success) throw new CommandError(`${url} does not answer like a Headrace router: no list of endpoints`);
  const { endpoints, data } = answer.data;
  const heldPrices = (data?.endpoints ?? []).flatMap(({ id, price: charged, held_price: held }) =>
    held !== null && endpoints.includes(id) ? [{ endpoint: id, charged, held }] : [],
  );
  return { endpoints, heldPrices };
}

/** Opens a client that signs as a node: `Authorization: Node <id>.<epoch ms>.<signature, base64url>`. */
export function signedClient(url: string, node: string, keys: KeyPair): Client {
  return createClient({ url, key: '' }, undefined, (method, path) => {
    const atMs = Date.now();
    const signature = Buffer.from(keys.sign(requestStatement({ node, atMs, method, path })), 'base64').toString('base64url');
    return `Node ${node}.${atMs}.${signature}`;
  });
}
