/** A team's own keys while requests use them: opened at their first use, kept for a minute in the memory of one isolate, and written nowhere. */
import type { OwnKey, OwnKeyOf, Seal, SealedKey } from '#schema/byok';
import { digest } from '#schema/digest';
import type { Sealer, SealScope } from './seal.ts';

/** Keys kept open at once, and for how long. */
const OPEN_MAX = 1_000;
const OPEN_FOR_MS = 60_000;

/** A team as its caller's look-up knows it. */
export interface KeyHolder {
  id: string;
  /** Enabled ones; absent where there are none. */
  providerKeys?: readonly SealedKey[];
}

export interface OwnKeysPorts {
  sealer: Sealer;
  now(): number;
  /** Takes a line for a key that cannot be opened, once a minute at most. */
  log(event: Record<string, unknown>): void;
  /** Stores a key that the current secret has sealed anew, unless somebody has changed it meanwhile. */
  reseal(sealed: SealedKey, seal: Seal): Promise<void>;
}

/** The keys that are open in one isolate. */
export interface OwnKeys {
  /** Opens a team's keys for one request. At once where it has none (undefined) or all of them are open. Never rejects. */
  of(team: KeyHolder, waitUntil: (work: Promise<unknown>) => void): OwnKeyOf | undefined | Promise<OwnKeyOf>;
}

interface OpenKey extends OwnKey {
  openedAtMs: number;
}

/** Starts with nothing open. */
export function createOwnKeys({ sealer, now, log, reseal }: OwnKeysPorts): OwnKeys {
  const open = new Map<string, OpenKey>();

  function find(name: string): OpenKey | undefined {
    const found = open.get(name);
    const ageMs = found === undefined ? Infinity : now() - found.openedAtMs;
    return ageMs >= 0 && ageMs < OPEN_FOR_MS ? found : undefined;
  }

  function keep(name: string, opened: OpenKey): OpenKey {
    // In the order in which they were opened, so the first ones are the first to go.
    open.delete(name);
    open.set(name, opened);
    for (const stale of open.keys()) {
      if (open.size <= OPEN_MAX && find(stale) !== undefined) break;
      open.delete(stale);
    }
    return opened;
  }

  async function unseal(teamId: string, sealed: SealedKey, waitUntil: (work: Promise<unknown>) => void): Promise<OpenKey> {
    const scope = scopeOf(teamId, sealed);
    const opened = await sealer.open(scope, sealed);
    const credential = `byok:${sealed.id}:${digest([sealed.sealed])}`;
    if ('reason' in opened) log({ event: 'provider_key_unusable', providerKey: sealed.id, reason: opened.reason });
    else if (!opened.isCurrent) waitUntil(sealAnew(scope, sealed, opened.key));
    return keep(nameOf(teamId, sealed), { credential, key: 'key' in opened ? opened.key : null, openedAtMs: now() });
  }

  /** Moves a key to the current secret once it is used, so that a rotation of the secret comes to its end. The next use tries again. */
  async function sealAnew(scope: SealScope, sealed: SealedKey, key: string): Promise<void> {
    try {
      await reseal(sealed, await sealer.seal(scope, key));
    } catch (failure) {
      log({ event: 'provider_key_not_resealed', providerKey: sealed.id, cause: failure instanceof Error ? failure.name : 'unknown' });
    }
  }

  async function openAll(
    teamId: string,
    providerKeys: readonly SealedKey[],
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<OwnKeyOf> {
    const opening = providerKeys.map(async (sealed) => find(nameOf(teamId, sealed)) ?? unseal(teamId, sealed, waitUntil));
    return toOwnKeyOf(providerKeys, await Promise.all(opening));
  }

  return {
    of({ id: teamId, providerKeys }, waitUntil) {
      if (providerKeys === undefined || providerKeys.length === 0) return undefined;
      const known = providerKeys.flatMap((sealed) => find(nameOf(teamId, sealed)) ?? []);
      if (known.length === providerKeys.length) return toOwnKeyOf(providerKeys, known);
      return openAll(teamId, providerKeys, waitUntil);
    },
  };
}

/** The whole seal with all that it is bound to: nothing else may ever be answered with this key. */
function nameOf(teamId: string, { id, provider, origin, sealKeyId, sealed }: SealedKey): string {
  return [teamId, id, provider, origin, sealKeyId, sealed].join('|');
}

function scopeOf(teamId: string, { provider, origin }: SealedKey): SealScope {
  return { teamId, providerId: provider, origin };
}

/** A key answers for its provider at its origin and nowhere else (K1). */
function toOwnKeyOf(sealed: readonly SealedKey[], opened: readonly OwnKey[]): OwnKeyOf {
  const byProvider = new Map(sealed.map(({ provider, origin }, place) => [provider, { origin, ownKey: opened[place] as OwnKey }]));
  return ({ providerId, url }) => {
    const found = byProvider.get(providerId);
    return found !== undefined && isAtOrigin(url, found.origin) ? found.ownKey : undefined;
  };
}

/** An origin ends where the path begins; an address that is spelt otherwise than the URL standard prints it is not taken for it. */
function isAtOrigin(url: string, origin: string): boolean {
  return url.startsWith(origin) && (url.length === origin.length || url[origin.length] === '/');
}
