/** Registrations and joining over a deployment in memory, with nobody to talk to. */
import { toPicoUsdPerToken } from '#schema/money';
import { joinNode, type CreateEndpoint } from '#schema/registration';
import { createJoin } from '#src/nodes/join/join';
import { createJoinTokens } from '#src/nodes/join/join-tokens';
import { createRegistrations } from '#src/nodes/register/registrations';
import type { SupplyManager } from '#src/nodes/supply-manager';
import type { LinkPort, SupplyPorts } from '#src/nodes/supply-ports';
import { NOW_MS } from '#test/support/fake-clock';
import { joinBody } from '#test/support/join-body';
import type { Supply } from './staged-supply.ts';

export const MANAGER: SupplyManager = { actor: 'key-admin', operatorId: null, teamId: null };
export const OPERATOR: SupplyManager = { actor: 'key-op', operatorId: 'op', teamId: null };
export const MODEL = 'qwen/qwen3-8b';
const PUBLIC_KEY = `${'A'.repeat(43)}=`;

const ofModel = (model: string, { models, ...body }: ReturnType<typeof joinBody>) => ({
  ...body,
  models: models.map((one) => ({ ...one, model })),
});

const NO_LINK = new Proxy({} as LinkPort, { get: () => async () => undefined });

/** Opens both. Hosts are those of the deployment, so no name is looked up. */
export function openOffice(supply: Supply, over: Partial<SupplyPorts> = {}) {
  let ids = 0;
  const ports = {
    db: supply.db,
    now: () => NOW_MS,
    newId: () => `id-${++ids}`,
    log: () => undefined,
    fetch: () => Promise.reject(new TypeError('no network')),
    secret: () => undefined,
    allowedHosts: ['gpu.example', 'elsewhere.example'],
    node: () => NO_LINK,
    priceOf: ({ price }: Parameters<SupplyPorts['priceOf']>[0]) =>
      price === undefined
        ? null
        : {
            promptPicoUsdPerToken: toPicoUsdPerToken((price as { prompt: number }).prompt),
            completionPicoUsdPerToken: toPicoUsdPerToken((price as { completion: number }).completion),
            requestNanoUsd: 0,
          },
    judgePrices: async (_operator: string, asked: readonly unknown[]) => asked.map(() => ({ kind: 'charged' as const })),
    renewCatalogue: async () => undefined,
    ...over,
  } as unknown as SupplyPorts;
  const registrations = createRegistrations(ports);
  const join = createJoin(ports, createJoinTokens(ports));
  return {
    ...registrations,
    /** Registers an endpoint of the operator `op`. */
    register: (id: string, wish: Partial<CreateEndpoint> = {}, manager = OPERATOR) =>
      registrations.create(
        manager,
        { id, url: `https://gpu.example/${id}`, model: MODEL, context: 32_768, upstream_model: `engine-${id}`, ...wish } as CreateEndpoint,
        'https://router.example/',
      ),
    patch: (id: string, wish: Parameters<typeof registrations.change>[2], manager = OPERATOR) =>
      registrations.change(manager, id, wish, 'https://router.example/'),
    /** Joins as a node of `op` that has signed with its own key. */
    rejoin: (node: string, body: Partial<Parameters<typeof joinBody>[1]> = {}, model = MODEL) =>
      join({ signer: { ...OPERATOR, actor: `node:${node}`, nodeId: node } }, async () =>
        joinNode.parse(ofModel(model, joinBody(node, { public_key: PUBLIC_KEY, ...body }))),
      ),
  };
}
