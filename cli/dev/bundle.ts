/** Bundles the Worker the way wrangler does. */
import { build, stop, type BuildOptions } from 'esbuild';

/** How every Worker of this house becomes one ES module. */
export const WORKER_BUNDLE = {
  bundle: true,
  write: false,
  format: 'esm',
  target: 'es2024',
  conditions: ['workerd', 'worker', 'browser'],
  mainFields: ['browser', 'module', 'main'],
  external: ['cloudflare:*', 'node:*'],
  logLevel: 'silent',
} satisfies BuildOptions;

/** Builds one ES module from the Worker's entry file. Rejects with esbuild's messages. */
export async function bundleWorker(entry: string): Promise<string> {
  const { outputFiles } = await build({ ...WORKER_BUNDLE, entryPoints: [entry] });
  return outputFiles[0]?.text ?? '';
}

/** Ends esbuild's helper process, which would otherwise live as long as this one. Call when no bundle is being built. */
export async function stopBundler(): Promise<void> {
  await stop();
}
