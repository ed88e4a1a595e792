/** `headrace dev`, which is `npm start`: the router, local D1 and the devnet, until Ctrl-C. */
import path from 'node:path';
import type { Devnet } from '#devnet/devnet';
import { devnetSecrets } from '#devnet/secrets';
import type { RunningEngine } from '#engine/llama/spawn';
import { surroundings } from '#src/house-facts';
import { CommandError } from '../command-error.ts';
import { LOCAL_HOSTS } from '../local-hosts.ts';
import { checkManifest, readManifestFile } from '../manifest/read-manifest.ts';
import { createProgress } from '../progress.ts';
import { stopBundler } from './bundle.ts';
import { readEnvironment } from './environment.ts';
import { greet } from './greeting.ts';
import { addRealNode, startRealNode } from './real-node.ts';
import { listenForShutdown } from './shutdown.ts';
import { pointAtDevnet, startLocalDevnet } from './start-devnet.ts';
import { startRouter } from './start-router.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const EXAMPLE = path.join(ROOT, 'examples/local.yaml');

export interface DevOptions {
  /** Manifest file; absent: the example. */
  config?: string;
  port: number;
  state: string;
  devnet: boolean;
  /** Whether a real engine runs beside the simulated supply. */
  realNode?: boolean;
}

/** A manifest for a router without simulated supply: no endpoint of its own, a team for the key. */
const EMPTY_MANIFEST = 'version: 1\ndefaults: { policy: balanced }\npolicies: { balanced: {} }\nteams: [{ id: local }]\n';

/** Runs until it is told to end. Throws CommandError before anything has changed when the manifest, port or file is bad. */
export async function dev(options: DevOptions): Promise<void> {
  const shutdown = listenForShutdown();
  const say = (line: string): void => console.log(line);
  const step = createProgress(say, () => performance.now());
  const file = options.config ?? path.relative(process.cwd(), EXAMPLE);
  const text = options.config === undefined && !options.devnet ? EMPTY_MANIFEST : readManifestFile(file);
  // Before anything is started: a bad manifest must leave no trace.
  checkManifest(text, file, surroundings(true, LOCAL_HOSTS));

  let devnet: Devnet | null = null;
  let realNode: RunningEngine | null = null;
  const logError = (line: string): void => console.error(line);
  try {
    if (options.devnet)
      devnet = await step(
        'devnet',
        () => startLocalDevnet(() => {}),
        (started) => started.url,
      );
    if (options.realNode === true) realNode = await startRealNode(step, say);
    const adapt = (manifest: string): string => {
      const pointed = devnet === null ? manifest : pointAtDevnet(manifest, devnet.url);
      return realNode === null ? pointed : addRealNode(pointed, realNode.url);
    };
    const router = await startRouter({
      manifestText: adapt(text),
      adapt,
      keepApplied: options.config === undefined,
      manifestFile: file,
      port: options.port,
      stateDir: path.resolve(options.state),
      environment: { ...(devnet !== null && devnetSecrets()), ...readEnvironment(ROOT, process.env) },
      log: logError,
      step,
    });
    try {
      await stopBundler();
      shutdown.takeOver();
      greet({ ...router, stateDir: options.state, devnetUrl: devnet?.url ?? null, realNodeUrl: realNode?.url ?? null }).forEach(say);
      say(`ready ${router.url}`);
      await shutdown.asked;
    } finally {
      await router.stop();
    }
  } catch (error) {
    throw error instanceof CommandError || !isStartFailure(error)
      ? error
      : new CommandError(`the Worker does not start: ${firstLine(error)}`);
  } finally {
    await Promise.all([devnet?.stop(), realNode?.stop()]);
  }
}

/** Recognises what esbuild and workerd reject with. */
function isStartFailure(error: unknown): error is Error {
  return error instanceof Error && ('errors' in error || error.name.startsWith('Miniflare'));
}

function firstLine(error: Error): string {
  return error.message.split('\n').find((line) => line.trim() !== '') ?? error.name;
}
