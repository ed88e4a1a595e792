/** Where an offer is called and with which key. The key travels with the endpoint's own URL and nowhere else (K1). */
import type { DialectTarget } from '#providers/provider';
import { findProvider, quirksOf } from '#providers/registry';
import type { OwnKeyOf } from '#schema/byok';
import type { Offer } from '#schema/catalog';
import { nodeOfAddress } from '#schema/registration';

/** The deployment's own secrets are nobody's upstream key, whatever a manifest says. */
const OUR_SECRETS = 'HEADRACE_';

/** Where keys come from: the deployment's secrets by name, and what the team has brought. */
export interface KeySources {
  secret(name: string): string | undefined;
  /** Absent where the team has brought none. */
  ownKeyOf?: OwnKeyOf | undefined;
}

/**
 * Finds the key that an offer is called with: the team's own where it has brought one for this place, else the deployment's; null where the
 * offer takes none, undefined where there is none to call it with. A team's key that cannot be opened is not replaced by the deployment's.
 */
function keyFor(offer: Pick<Offer, 'keySecret' | 'providerId' | 'url'>, { secret, ownKeyOf }: KeySources): string | null | undefined {
  const own = ownKeyOf?.(offer);
  if (own !== undefined) return own.key ?? undefined;
  if (offer.keySecret === null) return null;
  return offer.keySecret.startsWith(OUR_SECRETS) ? undefined : secret(offer.keySecret);
}

/** Tells whether there is what it takes to call an offer: a key, where it needs one. */
export function isCallable(offer: Pick<Offer, 'keySecret' | 'providerId' | 'url'>, keys: KeySources): boolean {
  return keyFor(offer, keys) !== undefined;
}

/** What of an offer decides how it is spoken to. */
export type Addressed = Pick<
  Offer,
  'providerId' | 'operatorId' | 'engine' | 'dialect' | 'url' | 'upstreamModel' | 'maxOutput' | 'keySecret'
>;

/** Builds the dialect's target; null when there is no key for the offer. `marksReasoning`: signed reasoning in the answer says who made it. */
export function targetOf(offer: Addressed, keys: KeySources, marksReasoning: boolean): DialectTarget | null {
  const key = keyFor(offer, keys);
  if (key === undefined) return null;

  const card = findProvider(offer.providerId);
  const spokenHere = card?.dialect === offer.dialect ? card : undefined;
  const quirks = quirksOf(offer.providerId, offer.engine);
  return {
    url: offer.url,
    upstreamModel: offer.upstreamModel,
    // Whatever the engine, the link of a node tells what its agent reports.
    quirks: nodeOfAddress(offer.url) === null ? quirks : { ...quirks, reportsLoad: true },
    auth: spokenHere?.auth ?? (offer.dialect === 'anthropic-messages' ? 'x-api-key' : 'bearer'),
    headers: spokenHere?.headers ?? {},
    key,
    maxOutput: offer.maxOutput,
    operatorId: offer.operatorId,
    marksReasoning,
  };
}
