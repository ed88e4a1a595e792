/** NodeLinks by themselves: a Worker whose doors lead straight to the objects, and nodes that link to them. */
import { startWorker, type RunningWorker } from '#test/support/workerd';
import { admitNode, linkNode, makeIdentity, type LinkOptions, type NodeIdentity, type ScriptedNode } from '#test/support/scripted-node';

export interface LinkBench {
  worker: RunningWorker;
  router: string;
  /** Makes a node of its own for a test, not linked yet. */
  newNode(): Promise<NodeIdentity>;
  dial(identity: NodeIdentity, options?: Partial<LinkOptions>): ScriptedNode;
  /** Dials, and waits until the node is let in. */
  link(identity: NodeIdentity, options?: Partial<LinkOptions>): Promise<ScriptedNode>;
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Asks a node's object, as the router does. */
  ask(identity: NodeIdentity, path?: string, init?: RequestInit): Promise<Response>;
  statusOf(identity: NodeIdentity): Promise<Record<string, unknown>>;
  /** Puts the clock back and closes what a test has left open. */
  tidy(): Promise<void>;
}

/** Opens the bench. Stop its worker when done. */
export async function openLinkBench(): Promise<LinkBench> {
  const worker = await startWorker({
    entry: new URL('../flow/node-link-worker.ts', import.meta.url),
    // What it logs is other tests' business.
    options: { handleStructuredLogs: () => undefined },
  });
  const router = worker.url.origin;
  const call = (path: string, init?: RequestInit) => fetch(router + path, init);
  let linked: ScriptedNode[] = [];
  let count = 0;

  function dial(identity: NodeIdentity, options: Partial<LinkOptions> = {}): ScriptedNode {
    const node = linkNode({ router, identity, ...options });
    linked.push(node);
    return node;
  }

  return {
    worker,
    router,
    async newNode() {
      const identity = makeIdentity(`rig-${++count}`);
      await admitNode(worker.db, identity);
      return identity;
    },
    dial,
    async link(identity, options) {
      const node = dial(identity, options);
      await node.welcome;
      return node;
    },
    call,
    ask: ({ node }, path = 'v1/models', init) => call(`/direct/${node}/${path}`, init),
    statusOf: async ({ node }) => (await call(`/status/${node}`)).json() as Promise<Record<string, unknown>>,
    async tidy() {
      await call('/clock/0');
      for (const node of linked) node.close();
      linked = [];
    },
  };
}

/** Reads the code of an error that an object answers. */
export async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}
