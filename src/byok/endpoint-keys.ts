/**
 * The keys that registered endpoints ask for, open in the memory of one isolate while the catalogue names them. They are asked for by name as
 * the deployment's own secrets are; a name holds the endpoint and the origin that its key may be sent to, so that at another address there is
 * none (K1).
 */
import type { CatalogSnapshot } from '#schema/catalog';
import type { Seal } from '#schema/byok';
import { ENDPOINT_KEY_PREFIX, endpointKeyName } from '#schema/registration';
import { within } from '#schema/within';
import type { Sealer, SealScope } from './seal.ts';
import type { StoredEndpointKey } from './store.ts';

export interface EndpointKeysPorts {
  sealer: Sealer;
  /** Reads the deployment's own secrets. */
  secret(name: string): string | undefined;
  now(): number;
  log(event: Record<string, unknown>): void;
  /** Reads the sealed keys of all endpoints, or of one. */
  read(endpointId?: string): Promise<StoredEndpointKey[]>;
  /** Stores a key that the current secret has sealed anew, unless somebody has changed it meanwhile. */
  reseal(key: StoredEndpointKey, seal: Seal): Promise<void>;
}

export interface EndpointKeys {
  /** Finds a secret by name: the deployment's own, or the key of an endpoint where it is open. */
  secret(name: string): string | undefined;
  /**
   * Opens the keys that a snapshot names. A promise where some of them have never been open here, and a request may wait for it; undefined
   * where there is nothing to wait for. Never rejects.
   */
  open(snapshot: CatalogSnapshot, waitUntil: (work: Promise<unknown>) => void): Promise<void> | undefined;
  /** Opens the key of one endpoint for one use, whether the catalogue names it or not; null where there is none that may go to that address. */
  find(endpointId: string, url: string): Promise<string | null>;
}

const READ_TIMEOUT_MS = 2_000;
/** How soon what could not be read is read again. */
const AGAIN_AFTER_MS = 5_000;

/** What an endpoint's key is sealed to. No team is called by the empty text, so that no team's key opens as an endpoint's or the reverse. */
export function endpointScope({ endpointId, origin }: { endpointId: string; origin: string }): SealScope {
  return { teamId: '', providerId: endpointId, origin };
}

/** Starts with nothing open. */
export function createEndpointKeys({ sealer, secret, now, log, read, reseal }: EndpointKeysPorts): EndpointKeys {
  /** Name → the seal and what was in it; null where it does not open. */
  let held = new Map<string, { sealed: string; key: string | null }>();
  let heldFor: CatalogSnapshot | null = null;
  let loading: Promise<void> | null = null;
  let againAtMs = 0;

  async function unseal(row: StoredEndpointKey): Promise<string | null> {
    const scope = endpointScope(row);
    const opened = await sealer.open(scope, row);
    if ('reason' in opened) {
      log({ event: 'endpoint_key_unusable', endpointId: row.endpointId, reason: opened.reason });
      return null;
    }
    if (!opened.isCurrent) await reseal(row, await sealer.seal(scope, opened.key)).catch(() => undefined);
    return opened.key;
  }

  async function load(snapshot: CatalogSnapshot, wanted: ReadonlySet<string>): Promise<void> {
    try {
      const rows = await within(read(), READ_TIMEOUT_MS);
      const next: typeof held = new Map();
      for (const row of rows) {
        const name = endpointKeyName(row.endpointId, row.origin);
        if (!wanted.has(name)) continue;
        const known = held.get(name);
        next.set(name, known?.sealed === row.sealed ? known : { sealed: row.sealed, key: await unseal(row) });
      }
      [held, heldFor] = [next, snapshot];
    } catch (failure) {
      againAtMs = now() + AGAIN_AFTER_MS;
      log({ event: 'endpoint_keys_unreadable', cause: failure instanceof Error ? failure.name : 'unknown' });
    } finally {
      loading = null;
    }
  }

  return {
    secret: (name) => (name.startsWith(ENDPOINT_KEY_PREFIX) ? (held.get(name)?.key ?? undefined) : secret(name)),

    open(snapshot, waitUntil) {
      if (snapshot === heldFor) return undefined;
      const wanted = namesIn(snapshot);
      if (wanted.size === 0) {
        [held, heldFor] = [new Map(), snapshot];
        return undefined;
      }
      const isComplete = [...wanted].every((name) => held.has(name));
      if (loading === null && now() >= againAtMs) {
        loading = load(snapshot, wanted);
        waitUntil(loading);
      }
      return isComplete ? undefined : (loading ?? undefined);
    },

    async find(endpointId, url) {
      const [row] = await within(read(endpointId), READ_TIMEOUT_MS);
      return row === undefined || row.origin !== URL.parse(url)?.origin ? null : unseal(row);
    },
  };
}

function namesIn({ models }: CatalogSnapshot): Set<string> {
  const names = new Set<string>();
  for (const { offers } of models.values())
    for (const { keySecret } of offers) if (keySecret?.startsWith(ENDPOINT_KEY_PREFIX) === true) names.add(keySecret);
  return names;
}

/** Whatever gives snapshots of the catalogue. */
interface Snapshots {
  snapshot(waitUntil: (work: Promise<unknown>) => void): CatalogSnapshot | Promise<CatalogSnapshot>;
  newest(waitUntil: (work: Promise<unknown>) => void): CatalogSnapshot | Promise<CatalogSnapshot>;
}

/** Makes a catalogue give out snapshots whose keys are open. */
export function withOpenKeys<Catalog extends Snapshots>(catalog: Catalog, keys: EndpointKeys): Catalog {
  type WaitUntil = (work: Promise<unknown>) => void;

  function opened(snapshot: CatalogSnapshot, waitUntil: WaitUntil): CatalogSnapshot | Promise<CatalogSnapshot> {
    const opening = keys.open(snapshot, waitUntil);
    return opening === undefined ? snapshot : opening.then(() => snapshot);
  }
  const open = (give: Snapshots['snapshot']) => (waitUntil: WaitUntil) => {
    const given = give(waitUntil);
    return given instanceof Promise ? given.then((snapshot) => opened(snapshot, waitUntil)) : opened(given, waitUntil);
  };
  return { ...catalog, snapshot: open(catalog.snapshot), newest: open(catalog.newest) };
}
