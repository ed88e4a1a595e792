/** The node of the benchmark, a process of its own: the real agent in front of the benchmark's upstream. Its parent sends one `AgentOrder`. */
import { openai } from '#cli/node/engines/openai';
import { openKeyPair } from '#cli/node/identity/key-pair';
import { readRouterAddress } from '#cli/node/router-address';
import { runNode } from '#cli/node/run-node';

/** Where the node links to, as whom, and what it serves. */
export interface AgentOrder {
  router: string;
  node: string;
  /** A key pair as `KeyPair.save` writes it. */
  savedKeys: string;
  upstream: string;
}

const UNKNOWN = { capacity: { poolTokens: null, maxSequences: null }, measured: null, predicted: null };

process.on('message', ({ router, node, savedKeys, upstream }: AgentOrder) => {
  runNode({
    router: readRouterAddress(router, false),
    node,
    keys: openKeyPair(savedKeys),
    description: {
      agentVersion: 'bench',
      engine: { name: 'openai', version: null },
      gpu: null,
      models: [{ upstreamModel: 'model', context: 131_072, quantization: 'unknown', kvCache: 'unknown', capabilities: [], ...UNKNOWN }],
    },
    engine: { url: upstream, key: null, fetch, timeoutMs: 5_000 },
    adapter: openai,
    maxConcurrency: null,
    drainTimeoutMs: 1_000,
    on: (event) => event.type === 'welcome' && process.send?.({ linked: true }),
  });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {}); // the parent decides when to stop
process.send?.({ ready: 0 });
