/** The Worker as Miniflare starts it: the bindings of wrangler.toml, under the same names and in the same files on disk. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Log, LogLevel, type MiniflareOptions } from 'miniflare';

/** Name of the one Worker. */
export const WORKER_NAME = 'headrace';
/** Database id of wrangler.toml, so that `wrangler d1 execute headrace --local` opens the same file. */
const DATABASE_ID = 'headrace-local';
const COMPATIBILITY_DATE = '2026-11-01';

export interface WorkerSetting {
  /** The bundled Worker. */
  script: string;
  /** 0 takes any free port. */
  port: number;
  /** Null keeps everything in memory and temporary files. */
  stateDir: string | null;
  bindings: Readonly<Record<string, string>>;
  /** Takes one line at a time of what the Worker logs. */
  log: (line: string) => void;
}

/** Describes one Worker on loopback with D1, the Durable Objects and text bindings. Nothing is fetched from the network to start. */
export function workerOptions({ script, port, stateDir, bindings, log }: WorkerSetting): MiniflareOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    logRequests: false,
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }) => log(message),
    ...(stateDir === null ? {} : { resourcePersistencePath: path.join(stateDir, 'v3') }),
    workers: [
      {
        config: {
          name: WORKER_NAME,
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: ['nodejs_compat', 'enable_request_signal', 'no_web_socket_compression'],
          manifest: { mainModule: 'index.mjs', modulesRoot: process.cwd(), modules: { 'index.mjs': { type: 'esm', contents: script } } },
          env: {
            ...Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, { type: 'text', value }])),
            // Miniflare's own outbound Worker marks every upstream request and costs more than the whole router.
            NETWORK: {
              type: 'network',
              allow: ['public', 'private'],
              tlsOptions: { trustBrowserCas: true, trustedCertificates: extraCertificates() },
            },
            DB: { type: 'd1', id: DATABASE_ID },
            ACCOUNT: { type: 'durable-object', worker: WORKER_NAME, exportName: 'Account' },
            HEALTH_BOARD: { type: 'durable-object', worker: WORKER_NAME, exportName: 'HealthBoard' },
            NODE_LINK: { type: 'durable-object', worker: WORKER_NAME, exportName: 'NodeLink' },
          },
          exports: {
            Account: { type: 'durable-object', storage: 'sqlite' },
            HealthBoard: { type: 'durable-object', storage: 'sqlite' },
            NodeLink: { type: 'durable-object', storage: 'sqlite' },
          },
        },
        // Miniflare's own front worker hides clients that leave; on a direct socket the Worker sees them.
        dev: { rootPath: process.cwd(), stripCfConnectingIp: true, unsafeDirectSockets: [{ host: '127.0.0.1', port }] },
      },
    ],
  };
}

/** Reads the authorities that Node trusts beside the usual ones (`NODE_EXTRA_CA_CERTS`), as companies with a proxy of their own need them. */
function extraCertificates(): string[] {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
