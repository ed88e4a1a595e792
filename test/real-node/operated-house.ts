/** A whole router with an operator of a team's own: nodes that join here go into traffic with their first good probe. */
import type { NodeDescription } from '#schema/node';
import { openHouse, type EndpointSpec, type House } from '#test/support/house';
import { pause } from '#test/support/pause';
import { joinNode, type NodeProcess } from './node-process.ts';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const OPERATOR = 'lab';
/** A first probe takes eight seconds at most, and a machine that does much else has its own pace. */
const SERVED_MS_MAX = 30_000;
const LOOK_MS = 100;
/** What callers name. */
export const MODEL = 'headrace/tiny-llama';

export interface OperatedHouse extends House {
  /** Calls the management API. Rejects with what it says where it refuses. */
  manage(method: 'GET' | 'POST', path: string, body?: object): Promise<Record<string, unknown>>;
  /** Joins with a fresh token, as `headrace node join` with more flags, and waits until callers are served what the engine calls `upstreamModel`. */
  join(name: string, engine: { url: string; upstreamModel: string }, ...flags: string[]): Promise<NodeProcess>;
}

/** Opens the house, with endpoints beside the nodes. It stops its nodes when it is stopped. */
export async function openOperatedHouse(endpoints: readonly EndpointSpec[] = []): Promise<OperatedHouse> {
  const house = await openHouse({ endpoints, manifest: { management_keys: [{ name: 'admin', value: ADMIN }] } });
  const nodes: NodeProcess[] = [];
  const manage: OperatedHouse['manage'] = async (method, path, body) => {
    const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' };
    const response = await fetch(`${house.url}/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  await manage('POST', '/operators', { id: OPERATOR, team: 'testers' });
  return {
    ...house,
    manage,
    async join(name, { url, upstreamModel }, ...flags) {
      const { token } = await manage('POST', '/nodes/tokens', { operator: OPERATOR });
      const where = ['--router', house.url, '--token', String(token), '--upstream', url, '--name', name];
      const node = await joinNode([...where, '--model', `${MODEL}=${upstreamModel}`, '--price', '1/1', '--drain-timeout', '5', ...flags]);
      nodes.push(node);
      for (const giveUpAtMs = performance.now() + SERVED_MS_MAX; performance.now() < giveUpAtMs; await pause(LOOK_MS)) {
        const response = await house.chat({ model: MODEL, max_tokens: 1, provider: { only: [name] } });
        await response.body?.cancel();
        if (response.status === 200) break;
      }
      return node;
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await house.stop();
    },
  };
}

/** Reads what a node has said of itself before it joined. */
export function descriptionOf({ events }: NodeProcess): NodeDescription {
  const found = events.find(({ event }) => event === 'found');
  if (found === undefined) throw new Error('the node has described nothing');
  return found['description'] as NodeDescription;
}
