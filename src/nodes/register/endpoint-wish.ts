/** What an operator may wish for an endpoint. Pure; every refusal is a GatewayError with the field at fault. */
import { operationsOf, type Capability } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import type { Price } from '#schema/money';
import type { CreateEndpoint, UpdateEndpoint } from '#schema/registration';
import type { KnownModels } from '../join/nodes-store.ts';
import type { StoredEndpoint } from './registrations-store.ts';

type Named = 'supply' | 'owner' | 'model' | 'context' | 'max_output' | 'capabilities';
type Wish = { [Field in Named]?: CreateEndpoint[Field] | undefined };

/** Ids that stand for something else in paths. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['zdr']);

/** What a node has measured or found out itself; its operator does not change it, the node does by joining again. */
const OF_THE_NODE = [
  'url',
  'key',
  'dialect',
  'engine',
  'hardware',
  'model',
  'upstream_model',
  'weights',
  'kv_cache',
  'context',
  'capabilities',
  'supply',
] as const satisfies readonly (keyof UpdateEndpoint)[];

/** Fields whose change makes another endpoint of it, which must be looked at again. */
const LOOKED_AT = [
  'url',
  'key',
  'dialect',
  'engine',
  'model',
  'upstream_model',
  'weights',
  'kv_cache',
  'context',
  'max_output',
  'capabilities',
] as const satisfies readonly (keyof UpdateEndpoint)[];

/** Refuses with a sentence about one field. */
export function refuseField(param: string, sentence: string, metadata?: Record<string, unknown>): GatewayError {
  return new GatewayError('invalid_request', `Invalid value for '${param}': ${sentence}.`, { param, ...(metadata && { metadata }) });
}

/** Checks an id that is to be taken. */
export function checkId(id: string): void {
  if (RESERVED_IDS.has(id)) throw refuseField('id', 'the name is reserved; choose another');
}

/** Checks whose it may be and what kind of supply: an operator serves its own team or everybody, from hardware of its own or a subnet. */
export function checkClaims({ supply, owner }: Wish, { isManager, teamId }: { isManager: boolean; teamId: string | null }): void {
  if (supply === 'centralized' && !isManager) throw refuseField('supply', 'expected one of "selfhosted", "subnet"');
  if (owner === undefined || owner === teamId) return;
  if (teamId !== null) throw refuseField('owner', 'the operator serves another team');
  if (!isManager) throw refuseField('owner', 'the operator belongs to no team; leave it out');
}

/** Checks the model that callers are to name, and the tokens that it is said to hold. */
export function checkModel({ model, context, max_output: maxOutput, capabilities = [] }: Wish, known: KnownModels): void {
  const target = model === undefined ? undefined : known.aliases.get(model);
  if (target !== undefined) throw refuseField('model', `it is an alias here: name the model itself, ${target}`);
  if (model !== undefined && context === undefined && generatesText(capabilities) && (known.contexts.get(model) ?? null) === null)
    throw refuseField('context', 'is required: the catalogue does not know the model');
  const most = context ?? (model === undefined ? null : (known.contexts.get(model) ?? null));
  if (maxOutput !== undefined && most !== null && maxOutput > most) throw refuseField('max_output', `it is above the context (${most})`);
}

/** Checks a price that strangers are to pay: what costs nothing would draw every request that goes by price. */
export function checkPublicPrice(
  price: Price | null,
  { ownerTeamId, capabilities }: Pick<StoredEndpoint, 'ownerTeamId' | 'capabilities'>,
): void {
  if (price === null || ownerTeamId !== null || price.unitPicoUsd !== undefined) return;
  const sentence = 'expected more than 0; only endpoints of a team may be free';
  if (price.promptPicoUsdPerToken === 0) throw refuseField('price.prompt', sentence);
  if (price.completionPicoUsdPerToken === 0 && generatesText(capabilities as Capability[])) throw refuseField('price.completion', sentence);
}

function generatesText(capabilities: readonly Capability[]): boolean {
  const operations = operationsOf(capabilities);
  return operations.has('chat') || operations.has('completion');
}

/** Refuses changes to what a node says of itself. */
export function checkNodeFields(wish: UpdateEndpoint): void {
  const field = OF_THE_NODE.find((name) => wish[name] !== undefined);
  if (field !== undefined) throw refuseField(field, 'the node says this itself, when it joins');
}

/** Tells whether a change makes another endpoint of it, which must be looked at again. */
export function needsLook(wish: UpdateEndpoint): boolean {
  return LOOKED_AT.some((field) => wish[field] !== undefined);
}
