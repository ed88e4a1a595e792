/** The router's API as a node uses it: it joins with a token, and signs everything else with its own key. */
import { z } from 'zod';
import { requestStatement } from '#schema/node-link';
import type { JoinNode } from '#schema/registration';
import { createClient, type Client } from '../client.ts';
import { CommandError } from '../command-error.ts';
import type { KeyPair } from './identity/key-pair.ts';

/** What of the answer to a join counts here. */
const joined = z.object({ endpoints: z.array(z.string().max(200)).max(200) });

/** Joins with a token. Returns the ids of the node's endpoints. Throws RefusedError, Unreachable. */
export async function joinRouter(url: string, token: string, body: JoinNode): Promise<string[]> {
  const answer = joined.safeParse(await createClient({ url, key: token }).post<unknown>('/nodes/join', body));
  if (!answer.success) throw new CommandError(`${url} does not answer like a Headrace router: no list of endpoints`);
  return answer.data.endpoints;
}

/** Opens a client that signs as a node: `Authorization: Node <id>.<epoch ms>.<signature, base64url>`. */
export function signedClient(url: string, node: string, keys: KeyPair): Client {
  return createClient({ url, key: '' }, undefined, (method, path) => {
    const atMs = Date.now();
    const signature = Buffer.from(keys.sign(requestStatement({ node, atMs, method, path })), 'base64').toString('base64url');
    return `Node ${node}.${atMs}.${signature}`;
  });
}
