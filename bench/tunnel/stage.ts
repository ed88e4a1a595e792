/** The processes of a run: upstream, load generator, the router, and a node that is linked to it. */
import { fillDatabase } from '#bench/headrace';
import { startHelper, type HelperProcess } from '#bench/helper-process';
import { startWorker } from '#bench/subject';
import { localKeys } from '#cli/dev/local-key';
import { LOCAL_HOSTS } from '#cli/local-hosts';
import { createKeyPair } from '#cli/node/identity/key-pair';
import type { AgentOrder } from './agent.ts';

/** The two ways to the one upstream, named as the models that stand for them. */
export const WAYS = { direct: 'bench/direct', tunnel: 'bench/tunnel' } as const;
export type Way = keyof typeof WAYS;

const NODE = 'bench-node';
const ENTRY = `export * from '#src/index'; export { default } from '#src/index';`;

export interface TunnelStage {
  upstream: HelperProcess;
  load: HelperProcess;
  agent: HelperProcess;
  router: { origin: string; key: string; pid: number | null };
}

/** Starts everything, and leaves what it has started in `stops` as it goes. */
export async function openStage(stops: (() => unknown)[]): Promise<TunnelStage> {
  const help = async (file: string): Promise<HelperProcess> => {
    const helper = await startHelper(file);
    stops.push(() => helper.stop());
    return helper;
  };
  const [upstream, load, agent] = [await help('upstream.ts'), await help('load.ts'), await help('tunnel/agent.ts')];
  const upstreamOrigin = `http://127.0.0.1:${upstream.port}`;

  const bindings = { HEADRACE_ALLOWED_HOSTS: LOCAL_HOSTS.join(','), HEADRACE_VERSION: 'bench' };
  const { origin, pid, db, stop } = await startWorker(ENTRY, bindings);
  stops.push(stop);
  const keys = localKeys(null);
  const node = createKeyPair();
  const database = await db();
  await fillDatabase(database, manifestText(upstreamOrigin), keys);
  await database
    .prepare("INSERT INTO nodes (id, operator_id, public_key, description, joined_at_ms) VALUES (?1, 'bench', ?2, '{}', 0)")
    .bind(NODE, node.publicKey)
    .run();
  await agent.ask({ router: origin.origin, node: NODE, savedKeys: node.save(), upstream: upstreamOrigin } satisfies AgentOrder);
  return { upstream, load, agent, router: { origin: origin.origin, key: keys.inference, pid } };
}

function manifestText(upstreamOrigin: string): string {
  const endpoint = {
    upstream_model: 'model',
    context: 10_000_000,
    max_output: 16_384,
    max_concurrency: 10_000,
    price: { prompt: 0.02, completion: 0.06 },
  };
  const endpoints = [
    { ...endpoint, id: 'bench-direct', provider: 'selfhosted', model: WAYS.direct, url: `${upstreamOrigin}/v1` },
    { ...endpoint, id: NODE, provider: 'selfhosted', model: WAYS.tunnel, link: 'tunnel' },
  ];
  return JSON.stringify({ version: 1, endpoints, teams: [{ id: 'bench' }] }); // JSON is YAML
}
