/** Registered endpoints as routing sees them: what probes have seen takes the place of what was declared. Pure. */
import type { Offer } from '#schema/catalog';
import type { EndpointRow, RegistrationRow } from './rows.ts';

/**
 * Corrects what an endpoint declares by what was seen: the shorter context, the codec and the quantization that it runs, no capability that was
 * refuted. Newcomers are on probation; subnet supply stays what it is.
 */
export function asSeen(row: EndpointRow, { seen, state }: RegistrationRow): EndpointRow {
  const verification = state === 'probation' && row.supply !== 'subnet' ? 'probation' : row.verification;
  if (seen === null) return { ...row, verification };
  return {
    ...row,
    verification,
    context: Math.min(row.context, seen.context ?? Infinity),
    quantization: seen.quantization ?? row.quantization,
    kvCache: seen.kv_cache ?? row.kvCache,
    capabilities: row.capabilities.filter((capability) => (seen.capabilities as Readonly<Record<string, boolean>>)[capability] !== false),
  };
}

/** What a registration adds to an offer. */
export function registeredTerms({
  trafficShare,
  expected,
  capacity,
}: RegistrationRow): Pick<Offer, 'isRegistered' | 'trafficShare' | 'expected' | 'capacity'> {
  return {
    isRegistered: true,
    ...(trafficShare < 1 && { trafficShare }),
    ...(expected !== null && { expected }),
    ...(capacity !== null && { capacity }),
  };
}
