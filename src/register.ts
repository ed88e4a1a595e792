/**
 * Supply that registers itself: operators, their endpoints and nodes. It stands in the hall because the rooms of nodes, keys, sealed keys and
 * prices meet here.
 */
import { GatewayError } from '#schema/error';
import type { AskedPrice } from '#schema/held-price';
import { RUNTIME_TIMERS } from '#schema/timers';
import type { EndpointKeys } from '#src/byok/endpoint-keys';
import { endpointScope } from '#src/byok/endpoint-keys';
import type { Sealer } from '#src/byok/seal';
import type { Context } from '#src/context';
import { sayChat } from '#src/dispatch/say-chat';
import { mintKey } from '#src/keys/mint';
import { checkPrice } from '#src/manifest/check-price';
import { compilePrice } from '#src/manifest/compile-price';
import { createJoin, type Join } from '#src/nodes/join/join';
import { createJoinTokens, type JoinTokens } from '#src/nodes/join/join-tokens';
import { look, type Looked } from '#src/nodes/probe/look';
import { lookPortsOf } from '#src/nodes/probe/look-ports';
import { createNodes, type Nodes } from '#src/nodes/join/nodes';
import { createOperators, type Operators } from '#src/nodes/operators/operators';
import type { RegisteredEndpoint } from '#src/nodes/register/registrations-store';
import { createRegistrations, type Registrations } from '#src/nodes/register/registrations';
import type { SupplyPorts } from '#src/nodes/supply-ports';
import { tellState } from '#src/nodes/link/tell-node';
import { readAsked } from '#src/prices/asked-store';
import { judgeAsked } from '#src/prices/judge-asked';

/** What a register uses of the hall beside the context. */
export interface RegisterPorts {
  sealer: Sealer;
  endpointKeys: EndpointKeys;
  /** Makes this isolate look a key up again, by its SHA-256 (hex). */
  forgetKey(hash: string): void;
  /** Makes this isolate read the catalogue again. */
  renewCatalogue(): Promise<void>;
}

/** The desk at which supply registers. */
export interface Register {
  operators: Operators;
  endpoints: Registrations;
  tokens: JoinTokens;
  join: Join;
  nodes: Nodes;
  /** Looks at an endpoint now. Null where somebody else is at it, or nothing is to be looked at. */
  look(found: RegisteredEndpoint, actor: string): Promise<Looked | null>;
}

/** Opens the register of one isolate. */
export function createRegister(context: Context, { sealer, endpointKeys, forgetKey, renewCatalogue }: RegisterPorts): Register {
  const ports: SupplyPorts = {
    ...context,
    mintKey,
    forgetKey,
    renewCatalogue,
    sealKey: (scope, key) => sealer.seal(endpointScope(scope), key),
    priceOf,
    async judgePrices(operatorId, asked) {
      const nowMs = context.now();
      const known = await readAsked(context.db, operatorId, asked, nowMs);
      return known.map((beside, place) => judgeAsked(asked[place] as AskedPrice, beside, nowMs));
    },
  };
  const tokens = createJoinTokens(ports);

  async function lookNow(found: RegisteredEndpoint, actor: string): Promise<Looked | null> {
    const looked = await look(found, { actor }, lookPortsOf({ ...context, endpointKey: endpointKeys.find, say: sayChat }, RUNTIME_TIMERS));
    if (looked !== null) await Promise.all([renewCatalogue(), tellState(context, looked.before, looked.registration)]);
    return looked;
  }

  return {
    operators: createOperators(ports),
    endpoints: createRegistrations(ports),
    tokens,
    join: createJoin(ports, tokens),
    nodes: createNodes(ports),
    look: lookNow,
  };
}

/** Compiles a price by the manifest's own rules. Throws GatewayError `invalid_request` for one that would give something away. */
function priceOf({ price, capabilities }: Parameters<SupplyPorts['priceOf']>[0]): ReturnType<SupplyPorts['priceOf']> {
  const [complaint] = checkPrice({ price, capabilities } as Parameters<typeof checkPrice>[0], []);
  if (complaint === undefined) return compilePrice(price);
  const param = complaint.path.join('.');
  throw new GatewayError('invalid_request', `Invalid value for '${param}': ${complaint.message}.`, { param });
}
