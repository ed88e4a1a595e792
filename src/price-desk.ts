/**
 * The price desk: lists of models are fetched, read by their family's code, compared with what is known and written down. It stands in the hall
 * because the suppliers' parsers and the room of prices meet here; jobs come by schedule, managers through the API.
 */
import { providers } from '#providers/registry';
import { fieldChanges, type AuditEntry } from '#schema/audit';
import { isAllowedDocument } from '#schema/destination';
import { GatewayError } from '#schema/error';
import type { FeedReading } from '#schema/listed-model';
import { createOrUnavailable } from '#schema/or-unavailable';
import { RUNTIME_TIMERS, type Timers } from '#schema/timers';
import type { Context } from '#src/context';
import { toBroughtRows } from '#src/prices/brought-rows';
import { fetchDocument } from '#src/prices/fetch-document';
import { decideHeld, readHeld, sweepHeld, type HeldPrice } from '#src/prices/held-store';
import { reconcile } from '#src/prices/reconcile';
import { NOTHING_CHANGED, type FeedReport, type FeedStanding } from '#src/prices/report';
import { toPriceWords } from '#src/prices/say-price';
import { nextReadAtMs } from '#src/prices/schedule';
import { claimFeed, readFeeds, readKnown } from '#src/prices/store';
import { writeFailure, writeReading } from '#src/prices/write-store';
import { feedsOf, type Feed } from './price-feeds.ts';

type DeskPorts = Pick<Context, 'db' | 'fetch' | 'now' | 'random' | 'newId' | 'log' | 'secret' | 'allowedHosts'> & {
  timers?: Timers;
  /** Makes this isolate read the catalogue again; others notice by themselves. */
  renew?(): Promise<void>;
};

/** Who asked for a reading; null: the schedule. */
interface Asker {
  actor: string;
  /** The list has really become that short. */
  acceptsShorter: boolean;
}

/** Every method but `readDue` throws GatewayError: `not_found`, `conflict`, `ledger_unavailable`. */
export interface PriceDesk {
  feeds(): Promise<FeedStanding[]>;
  /** Reads one feed now, whether it is due or not. What is wrong with it is in the report. */
  read(feedId: string, asker: Asker): Promise<FeedReport>;
  /** Reads the feeds that are due, at most three, and once an hour forgets held prices that are settled. Rejects where D1 does. */
  readDue(): Promise<void>;
  held(): Promise<HeldPrice[]>;
  /** Decides about the price of an endpoint that was held at an instant. An accepted one is charged from now on. */
  decide(wish: { endpointId: string; seenAtMs: number; decision: 'accepted' | 'rejected'; actor: string }): Promise<void>;
}

const FEEDS_PER_RUN = 3;
/** Nobody else begins while a feed is being read; one that never ends is begun anew after this. */
const CLAIM_MS = 10 * 60_000;
const PROBLEMS_TOLD_MAX = 20;
const TIMEOUT_MS = 5_000;
const MINUTE_MS = 60_000;
const SWEEP_EVERY_MS = 60 * MINUTE_MS;

/** Opens the desk of one isolate. */
export function createPriceDesk(ports: DeskPorts): PriceDesk {
  const { db, now, random, newId, log, secret, allowedHosts, fetch, timers = RUNTIME_TIMERS } = ports;
  const ask = createOrUnavailable({
    sentence: 'Prices cannot be read or written right now',
    event: 'prices_unavailable',
    timeoutMs: TIMEOUT_MS,
    log,
  });
  /** Lists of known providers are read where the deployment says so; those that it names itself always. */
  const readsCards = secret('HEADRACE_PRICE_FEEDS') === 'on';

  async function listFeeds(): Promise<Feed[]> {
    return feedsOf(await readFeeds(db), [...providers.values()]);
  }

  async function readOne(feed: Feed, asker: Asker | null): Promise<FeedReport> {
    const { stored, providerId } = feed;
    await claimFeed(db, stored.id, now() + CLAIM_MS);
    const known = await readKnown(db, { feed: stored, providerId, nowMs: now() });
    const fetched = await fetchList(feed, known.keySecret);
    const nowMs = now();
    const reading: FeedReading = 'failure' in fetched ? { models: [], problems: [] } : feed.read(fetched.document);
    const problems = reading.problems.slice(0, PROBLEMS_TOLD_MAX);
    const found =
      'failure' in fetched
        ? { doubt: fetched.failure }
        : reconcile(reading, known, {
            ...(stored.terms !== null && { endpointIdOf: ({ upstreamModel }) => `${stored.id}:${upstreamModel}` }),
            acceptsShorter: asker?.acceptsShorter === true,
          });
    const auditOf = (outcome: string): AuditEntry | null => (asker === null ? null : entryOf(asker.actor, stored.id, outcome, nowMs));
    if ('doubt' in found) {
      const failedReadings = stored.failedReadings + 1;
      const state = { readAtMs: nowMs, error: found.doubt, failedReadings, nextReadAtMs: nextReadAtMs(nowMs, failedReadings, random) };
      await writeFailure(db, { ...stored, ...state }, auditOf(found.doubt));
      log({ event: 'price_feed_doubted', feed: stored.id, reason: found.doubt });
      return { feed: stored.id, atMs: nowMs, error: found.doubt, models: reading.models.length, problems, ...NOTHING_CHANGED };
    }
    const { terms } = stored;
    await writeReading(db, {
      ...found,
      feed: {
        ...stored,
        readAtMs: nowMs,
        goodAtMs: nowMs,
        error: null,
        nextReadAtMs: nextReadAtMs(nowMs, 0, random),
        failedReadings: 0,
        modelCount: reading.models.length,
        changeCount: found.changes.length,
        missing: found.missing,
      },
      brought: terms === null ? [] : found.brought.map((endpoint) => toBroughtRows(stored.id, terms, endpoint)),
      nowMs,
      audit: auditOf(`${found.changes.length} changed, ${found.held.length} held`),
    });
    if (found.changes.length + found.held.length + found.dropped.length > 0)
      log({ event: 'prices_read', feed: stored.id, changed: found.changes.length, held: found.held.length, dropped: found.dropped.length });
    return {
      feed: stored.id,
      atMs: nowMs,
      error: null,
      models: reading.models.length,
      problems,
      changed: found.changes,
      held: found.held,
      added: found.brought.filter(({ isNew }) => isNew).map(({ endpointId }) => endpointId),
      dropped: found.dropped,
      unknown: found.unknown,
      unpriced: found.unpriced,
    };
  }

  /** The key of the models goes along to the same origin, and nowhere else (K1). */
  function fetchList({ stored, url, endpointUrl }: Feed, keySecret: string | null) {
    const verdict = isAllowedDocument(url, allowedHosts);
    if (!verdict.ok) return { failure: `its address may not be called: ${verdict.reason}` };
    const name = stored.terms?.keySecret ?? keySecret;
    const belongs = name !== null && !name.startsWith('HEADRACE_') && endpointUrl !== null && isSameOrigin(url, endpointUrl);
    return fetchDocument(url, (belongs ? secret(name) : null) ?? null, { fetch, timers });
  }

  function entryOf(actor: string, feedId: string, outcome: string, atMs: number): AuditEntry {
    const changes = { outcome: { from: null, to: outcome } };
    return {
      id: newId(),
      atMs,
      actor,
      action: 'price_feed.read',
      object: `price_feed:${feedId}`,
      fromVersion: null,
      toVersion: null,
      changes,
    };
  }

  return {
    async feeds() {
      return (await ask(listFeeds())).map(({ stored, providerId, isCard, url }) => ({
        ...stored,
        providerId,
        url,
        isCard,
        isRead: !isCard || readsCards,
      }));
    },

    async read(feedId, asker) {
      const feed = (await ask(listFeeds())).find(({ stored }) => stored.id === feedId);
      if (feed === undefined) throw new GatewayError('not_found', 'No price feed of that id was found.', { param: 'id' });
      const report = await ask(readOne(feed, asker), 4 * TIMEOUT_MS);
      await ports.renew?.();
      return report;
    },

    async readDue() {
      const nowMs = now();
      if (nowMs % SWEEP_EVERY_MS < MINUTE_MS) await sweepHeld(db, nowMs);
      const due = (await listFeeds())
        .filter(({ isCard, stored }) => (!isCard || readsCards) && stored.nextReadAtMs <= nowMs)
        .toSorted((one, other) => one.stored.nextReadAtMs - other.stored.nextReadAtMs);
      await Promise.all(due.slice(0, FEEDS_PER_RUN).map((feed) => readOne(feed, null)));
    },

    held: () => ask(readHeld(db, now())),

    async decide({ endpointId, seenAtMs, decision, actor }) {
      const nowMs = now();
      const waiting = await ask(readHeld(db, nowMs, endpointId));
      if (waiting.length === 0)
        throw new GatewayError('not_found', 'No price of that endpoint waits for a decision.', { param: 'endpoint' });
      const held = waiting.find((price) => price.seenAtMs === seenAtMs);
      const isAnother = () =>
        new GatewayError('conflict', 'Another price of that endpoint waits by now: look at it, then decide.', { param: 'seen_at' });
      if (held === undefined) throw isAnother();
      const audit: AuditEntry = {
        id: newId(),
        atMs: nowMs,
        actor,
        action: decision === 'accepted' ? 'price.accept' : 'price.reject',
        object: `endpoint:${endpointId}`,
        fromVersion: null,
        toVersion: null,
        changes: {
          ...fieldChanges(held.current && toPriceWords(held.current), toPriceWords(held.price)),
          ...(held.operatorId === null ? { feed: { from: null, to: held.feedId } } : { operator: { from: null, to: held.operatorId } }),
        },
      };
      if (!(await ask(decideHeld(db, { endpointId, seenAtMs, decision, actor, nowMs, audit })))) throw isAnother();
      await ports.renew?.();
    },
  };
}

function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
