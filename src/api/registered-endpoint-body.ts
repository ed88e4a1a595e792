/** A registered endpoint as the API prints it. */
import type { Capability } from '#schema/catalog';
import type { RegisteredEndpointBody } from '#schema/answers/operators';
import { billedUnitOf, PRICED_UNITS, type PricedUnit } from '#schema/manifest';
import { toUsd, type Price } from '#schema/money';
import { endpointShareOf } from '#schema/staging';
import { challengeUrl } from '#src/nodes/address/challenge';
import { priceOfRow } from '#src/nodes/price/price-row';
import type { RegisteredEndpoint } from '#src/nodes/register/registrations-store';
import type { RegistrationEvent } from '#src/nodes/states';

/** Prints an endpoint for those who may manage it; with its history where there is one. */
export function toRegisteredBody(found: RegisteredEndpoint, history?: readonly RegistrationEvent[]): RegisteredEndpointBody {
  const { registration, endpoint, operator } = found;
  const { challenge, provenAtMs, vouchedBy, vouchedAtMs, state } = registration;
  const isNode = registration.nodeId !== null;
  const price = priceOfRow(found.offer);
  return {
    id: endpoint.id,
    operator: registration.operatorId,
    node: registration.nodeId,
    model: endpoint.modelId,
    upstream_model: endpoint.upstreamModel,
    url: isNode ? null : endpoint.url,
    supply: endpoint.supply as RegisteredEndpointBody['supply'],
    state,
    reason: registration.reason,
    since: toIso(registration.sinceMs),
    challenge: challenge !== null && provenAtMs === null ? { url: challengeUrl(endpoint.url, challenge), body: challenge } : null,
    proven_at: toIsoOrNull(provenAtMs),
    vouched: vouchedBy === null || vouchedAtMs === null ? null : { by: vouchedBy, at: toIso(vouchedAtMs) },
    declared: toDeclared(found),
    seen: registration.seen,
    probed_at: toIsoOrNull(registration.probedAtMs),
    expected: registration.expected && {
      ttft_ms: registration.expected.ttftMs,
      tpot_ms: registration.expected.tpotMs,
      source: registration.expected.source,
    },
    capacity: registration.capacity && {
      pool_tokens: registration.capacity.poolTokens,
      max_sequences: registration.capacity.maxSequences,
    },
    price: price && toPriceBody(price, endpoint),
    held_price: toHeldBody(found),
    traffic_share: endpointShareOf(state, operator?.cleanCompletions ?? 0, registration.seen?.comparison?.differed ?? 0),
    ...(history && {
      history: history.map(({ atMs, fromState, toState, reason, actor }) => ({
        at: toIso(atMs),
        from: fromState,
        to: toState,
        reason,
        actor,
      })),
    }),
  };
}

function toDeclared({ endpoint }: RegisteredEndpoint): RegisteredEndpointBody['declared'] {
  return {
    team: endpoint.ownerTeamId,
    dialect: endpoint.dialect as RegisteredEndpointBody['declared']['dialect'],
    engine: endpoint.engine,
    hardware: endpoint.hardware,
    weights: endpoint.quantization as RegisteredEndpointBody['declared']['weights'],
    kv_cache: endpoint.kvCache as RegisteredEndpointBody['declared']['kv_cache'],
    context: endpoint.context,
    max_output: endpoint.maxOutput,
    max_concurrency: endpoint.maxConcurrency,
    capabilities: endpoint.capabilities as Capability[],
    jurisdiction: endpoint.jurisdiction,
    data_policy: endpoint.dataPolicy as RegisteredEndpointBody['declared']['data_policy'],
    has_key: endpoint.keySecret !== null,
  };
}

function toHeldBody({ held, endpoint }: RegisteredEndpoint): RegisteredEndpointBody['held_price'] {
  if (held === null) return null;
  const { price, reason, seenAtMs, decision } = held;
  return { price: toPriceBody(price, endpoint), reason, asked_at: toIso(seenAtMs), state: decision ?? 'held' };
}

function toPriceBody(price: Price, { capabilities }: RegisteredEndpoint['endpoint']): NonNullable<RegisteredEndpointBody['price']> {
  const { cacheReadPicoUsdPerToken: cacheRead, cacheWritePicoUsdPerToken: cacheWrite, unitPicoUsd } = price;
  return {
    prompt: price.promptPicoUsdPerToken / 1e6,
    completion: price.completionPicoUsdPerToken / 1e6,
    ...(cacheRead !== undefined && { cache_read: cacheRead / 1e6 }),
    ...(cacheWrite !== undefined && { cache_write: cacheWrite / 1e6 }),
    request: toUsd(price.requestNanoUsd),
    ...(unitPicoUsd !== undefined && toUnitPrice(unitPicoUsd, capabilities as Capability[])),
  };
}

function toUnitPrice(picoUsd: number, capabilities: readonly Capability[]): { [Unit in PricedUnit]?: number } {
  const unit = billedUnitOf(capabilities);
  return unit === null ? {} : { [unit]: (picoUsd * PRICED_UNITS[unit]) / 1e12 };
}

function toIso(instantMs: number): string {
  return new Date(instantMs).toISOString();
}

function toIsoOrNull(instantMs: number | null): string | null {
  return instantMs === null ? null : toIso(instantMs);
}
