/** The way to an endpoint: nodes are reached through their links, everything else over the network. */
import { NODE_URL } from '#schema/node-link';
import { nodeOfAddress, TUNNEL_SCHEME } from '#schema/registration';

/** Whatever takes requests for one node. */
interface LinkStub {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

export interface ReachPorts {
  /** The network. */
  fetch: typeof fetch;
  /** The link of a node. */
  node(nodeId: string): LinkStub;
}

/** Makes a `fetch` that sends `tunnel:<node>/<path>` to the node's link, as `/v1/<path>` of its engine, and the rest to the network. */
export function createReach({ fetch, node }: ReachPorts): typeof fetch {
  const reach = (input: RequestInfo | URL, init?: RequestInit) => {
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
    const nodeId = nodeOfAddress(url);
    if (nodeId === null) return fetch(input, init);
    return node(nodeId).fetch(NODE_URL + url.slice(TUNNEL_SCHEME.length + nodeId.length), init);
  };
  return reach as typeof fetch;
}
