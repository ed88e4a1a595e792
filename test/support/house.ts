/** The whole Worker in workerd with real D1, in front of a scripted upstream. What flow tests stand on. */
import { stringify } from 'yaml';
import { startRouter } from '#cli/dev/start-router';
import { startScriptedUpstream, type ScriptedUpstream } from './scripted-upstream.ts';
import { bundleWorker } from './workerd.ts';

/** An endpoint of the manifest; `id` and `model` are filled in when absent, the URL always. */
export type EndpointSpec = { id: string } & Record<string, unknown>;

export interface HouseOptions {
  endpoints: readonly EndpointSpec[];
  /** Further parts of the manifest: policies, teams, aliases, defaults. */
  manifest?: Record<string, unknown>;
  environment?: Record<string, string>;
  /** Where state survives a restart; default keeps nothing. */
  stateDir?: string;
  /** Default: any free one. */
  port?: number;
  /** Takes each line that the Worker logs. */
  log?: (line: string) => void;
  /** The Worker's entry file; default is the Worker's own. */
  entry?: string;
  /** Further text bindings of the Worker, which may name the upstream's address. */
  bindings?: (upstream: ScriptedUpstream) => Record<string, string>;
}

export interface House {
  url: string;
  /** Key of the first team. */
  key: string;
  upstream: ScriptedUpstream;
  /** POSTs a chat request; model, messages and key are filled in when absent. */
  chat(body?: Record<string, unknown>, init?: RequestInit): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** The router's own D1 database. */
  db(): Promise<D1Database>;
  /** Runs the scheduled jobs now. */
  runJobs(): Promise<void>;
  /** Waits until the receipt has drained to D1 and returns its row. */
  receiptRow(generationId: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** The model that tests ask for. */
export const MODEL = 'test/echo-1';

const ENDPOINT_DEFAULTS = {
  provider: 'selfhosted',
  model: MODEL,
  upstream_model: 'echo-1-upstream',
  dialect: 'openai-chat',
  context: 32_768,
  max_output: 4096,
  price: { prompt: 1, completion: 2 },
  capabilities: ['tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'n'],
};
const DRAIN_POLLS = 600;
const DRAIN_POLL_MS = 100;

/** Opens a house. Endpoints are called in the order of their price unless a test says otherwise; stop it when done. */
export async function openHouse(options: HouseOptions): Promise<House> {
  const upstream = await startScriptedUpstream();
  const manifest = {
    version: 1,
    teams: [{ id: 'testers' }],
    ...options.manifest,
    endpoints: options.endpoints.map((endpoint) => ({ ...ENDPOINT_DEFAULTS, url: upstream.url(endpoint.id), ...endpoint })),
  };
  const router = await startRouter({
    manifestText: stringify(manifest, { aliasDuplicateObjects: false }),
    stateDir: options.stateDir ?? null,
    ...(options.port === undefined ? {} : { port: options.port }),
    environment: options.environment ?? {},
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.entry === undefined ? {} : { entry: options.entry }),
    bundle: bundleWorker,
    extraBindings: options.bindings?.(upstream) ?? {},
  });
  const authorization = `Bearer ${router.key}`;

  return {
    url: router.url,
    key: router.key,
    upstream,
    chat: (body = {}, init = {}) =>
      fetch(`${router.url}/v1/chat/completions`, {
        method: 'POST',
        ...init,
        headers: { authorization, 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
        body: init.body ?? JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }], ...body }),
      }),
    get: (path, init = {}) =>
      fetch(`${router.url}${path}`, { ...init, headers: { authorization, ...(init.headers as Record<string, string> | undefined) } }),
    db: router.db,
    runJobs: router.runJobs,
    async receiptRow(generationId) {
      const db = await router.db();
      for (let poll = 0; poll < DRAIN_POLLS; poll++) {
        const row = await db.prepare('SELECT * FROM receipts WHERE id = ?1').bind(generationId).first();
        if (row !== null) return row;
        await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
      }
      throw new Error(`receipt ${generationId} did not reach D1`);
    },
    async stop() {
      await router.stop();
      await upstream.stop();
    },
  };
}
