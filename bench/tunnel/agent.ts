/** The node of the benchmark, a process of its own: the real agent in front of the benchmark's upstream. Its parent sends one `AgentOrder`. */
import { describeNode } from '#cli/node/describe';
import { modelNamed } from '#cli/node/engines/engine';
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

const MODEL = modelNamed('model', { context: 131_072 });
const served = [{ model: 'model', facts: MODEL }];
const found = { adapter: openai, version: null, models: [MODEL] };
const measured = new Map();
const look = {
  found,
  gpu: null,
  served,
  measured,
  description: describeNode({ found, gpu: null, served, measured, predicted: new Map() }),
};

process.on('message', ({ router, node, savedKeys, upstream }: AgentOrder) => {
  runNode({
    router: readRouterAddress(router, false),
    node,
    keys: openKeyPair(savedKeys),
    look,
    declared: { codec: null, poolTokens: null },
    wishes: [],
    engine: { url: upstream, key: null, fetch, timeoutMs: 5_000 },
    maxConcurrency: null,
    drainTimeoutMs: 1_000,
    onServed: () => {},
    on: (event) => event.type === 'welcome' && process.send?.({ linked: true }),
  });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {}); // the parent decides when to stop
process.send?.({ ready: 0 });
