/** A whole Worker with operators who register endpoints at the scripted upstream, and a resolver that says what a test wants. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { createdOperator, registeredEndpointData } from '#schema/answers/operators';
import { readError } from './answers.ts';
import { openHouse, MODEL, type EndpointSpec, type House } from './house.ts';
import { createManager, type Manage } from './manage.ts';
import { answer } from './openai-scripts.ts';

/** Management keys: of the deployment, and of team a. */
export const MANAGERS = { admin: 'sk-hr-mgmt-admin-00000000000', lead: 'sk-hr-mgmt-lead-000000000000' };
/** Inference keys of two teams. */
export const KEYS = { a: 'sk-hr-team-a-00000000000000', b: 'sk-hr-team-b-00000000000000' };

export type Endpoint = ReturnType<typeof registeredEndpointData.parse>['data'];

/** A resolver over HTTP. */
export interface Resolver {
  url: string;
  /** Says what a name leads to; a number is the status that the resolver answers itself. Names without a word do not exist. */
  says: Map<string, { A?: string[]; AAAA?: string[]; CNAME?: string[] } | number>;
  stop(): Promise<void>;
}

export interface OperatorsHouse {
  house: House;
  manage: Manage;
  resolver: Resolver;
  logged: string[];
  /** Makes an operator and returns its key. */
  operator(id: string, more?: Record<string, unknown>): Promise<string>;
  /** A wish that may be registered, at a place of the scripted upstream that is called after it. */
  wish(id: string, more?: Record<string, unknown>): Record<string, unknown>;
  /** Registers an endpoint that must be accepted. */
  register(wish: Record<string, unknown>, key?: string): Promise<Endpoint>;
  stop(): Promise<void>;
}

/** What a refusal says. */
export async function refusal(response: Response): Promise<{ status: number; message: string; param: string | null }> {
  const { message, param } = await readError(response);
  return { status: response.status, message, param };
}

/** Reads an endpoint from an answer that must be good. */
export async function changed(response: Response): Promise<Endpoint> {
  const text = await response.text();
  expect([response.status, text]).toEqual([200, expect.any(String)]);
  return registeredEndpointData.parse(JSON.parse(text)).data;
}

/** Opens the house. */
export async function openOperatorsHouse(
  manifest: Record<string, unknown> = {},
  endpoints: readonly EndpointSpec[] = [],
): Promise<OperatorsHouse> {
  const resolver = await startResolver();
  const logged: string[] = [];
  const house = await openHouse({
    endpoints: [{ id: 'rig', price: { prompt: 1, completion: 2 } }, ...endpoints],
    bindings: () => ({ HEADRACE_DOH_URL: resolver.url, HEADRACE_CANARIES: 'off' }),
    log: (line) => logged.push(line),
    manifest: {
      management_keys: [
        { name: 'admin', value: MANAGERS.admin },
        { name: 'lead', value: MANAGERS.lead, team: 'a' },
      ],
      teams: [
        { id: 'a', keys: [{ name: 'a', value: KEYS.a }] },
        { id: 'b', keys: [{ name: 'b', value: KEYS.b }] },
      ],
      aliases: { echo: MODEL },
      ...manifest,
    },
  });
  house.upstream.script('rig', answer());
  const manage = createManager(house.url, MANAGERS.admin);

  const wish = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    id,
    model: MODEL,
    url: house.upstream.url(id),
    price: { prompt: 1, completion: 2 },
    context: 8192,
    ...more,
  });

  return {
    house,
    manage,
    resolver,
    logged,
    wish,
    async operator(id, more = {}) {
      const response = await manage('POST', '/operators', { id, ...more });
      const text = await response.text();
      expect([response.status, text]).toEqual([201, expect.any(String)]);
      return createdOperator.parse(JSON.parse(text)).key;
    },
    async register(body, key) {
      const response = await manage('POST', '/endpoints', body, key);
      const text = await response.text();
      expect([response.status, text]).toEqual([201, expect.any(String)]);
      return registeredEndpointData.parse(JSON.parse(text)).data;
    },
    async stop() {
      await house.stop();
      await resolver.stop();
    },
  };
}

const TYPES = { A: 1, AAAA: 28, CNAME: 5 } as const;

async function startResolver(): Promise<Resolver> {
  const says: Resolver['says'] = new Map();
  const server: Server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://resolver');
    const said = says.get(searchParams.get('name') ?? '');
    if (typeof said === 'number') return void response.writeHead(said).end('no');
    const type = searchParams.get('type') === 'AAAA' ? 'AAAA' : 'A';
    const records = (['CNAME', type] as const).flatMap((kind) =>
      (said?.[kind] ?? []).map((data) => ({ type: TYPES[kind], data, TTL: 60 })),
    );
    response.writeHead(200, { 'content-type': 'application/dns-json' });
    response.end(JSON.stringify({ Status: said === undefined ? 3 : 0, Answer: records }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query`,
    says,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
