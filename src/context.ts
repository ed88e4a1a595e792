/** What rooms may use, built once per isolate from the environment. The only file besides the front door that knows `Env`. */
import type { HealthBoard } from '#src/health/board';
import { locationHintOf } from '#src/health/board-name';
import type { Account } from '#src/ledger/account';
import type { LinkObject } from '#src/nodes/link/link-object';
import { createReach } from '#src/nodes/link/reach';

/** Bindings of the Worker; any other string variable or secret is read by name through `Context.secret`. */
export interface Env {
  DB: D1Database;
  ACCOUNT: DurableObjectNamespace<Account>;
  HEALTH_BOARD: DurableObjectNamespace<HealthBoard>;
  NODE_LINK: DurableObjectNamespace<LinkObject>;
  /** Where upstream calls go out. Absent on Cloudflare; locally it spares them a detour through the development server. */
  NETWORK?: Fetcher;
  /** Comma-separated private hosts that this deployment may call, such as `127.0.0.1,localhost`. */
  HEADRACE_ALLOWED_HOSTS?: string;
  HEADRACE_VERSION?: string;
}

export interface Context {
  db: D1Database;
  account(teamId: string): DurableObjectStub<Account>;
  /** A health board by name (`boardNameOf`), or the registry of them. */
  board(name: string): DurableObjectStub<HealthBoard>;
  /** The link of a node, whether it is connected or not. */
  node(nodeId: string): DurableObjectStub<LinkObject>;
  /** Epoch milliseconds. In Workers it stands still between two pieces of I/O. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  newId(): string;
  /** Calls upstreams: nodes through their links, everything else over the network. */
  fetch: typeof fetch;
  /** Reads a Worker secret or variable; undefined when this deployment has none of that name. */
  secret(name: string): string | undefined;
  allowedHosts: readonly string[];
  /** Writes one structured line. Callers pass no prompt, key or address. */
  log(event: Record<string, unknown>): void;
}

/** Builds the context of this isolate. */
export function createContext(env: Env): Context {
  const variables = env as unknown as Readonly<Record<string, unknown>>;
  const node = (nodeId: string) => env.NODE_LINK.get(env.NODE_LINK.idFromName(nodeId));
  return {
    db: env.DB,
    account: (teamId) => env.ACCOUNT.get(env.ACCOUNT.idFromName(teamId)),
    board: (name) => {
      const locationHint = locationHintOf(name);
      return env.HEALTH_BOARD.get(env.HEALTH_BOARD.idFromName(name), locationHint === undefined ? {} : { locationHint });
    },
    node,
    now: () => Date.now(),
    random: () => Math.random(),
    newId: () => crypto.randomUUID(),
    fetch: createReach({
      fetch: env.NETWORK === undefined ? (input, init) => fetch(input, init) : env.NETWORK.fetch.bind(env.NETWORK),
      node,
    }),
    secret: (name) => {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      return typeof value === 'string' && value !== '' ? value : undefined;
    },
    allowedHosts: (env.HEADRACE_ALLOWED_HOSTS ?? '')
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    log: (event) => console.log(JSON.stringify(event)),
  };
}
