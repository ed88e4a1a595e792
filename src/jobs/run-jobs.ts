/** Scheduled work, once a minute. Each job fails alone. */
import type { Offer } from '#schema/catalog';
import type { Receipt } from '#schema/receipt';
import { RUNTIME_TIMERS } from '#schema/timers';
import { within } from '#schema/within';
import { createEndpointKeys, withOpenKeys } from '#src/byok/endpoint-keys';
import { createSealer } from '#src/byok/seal';
import { readEndpointKeys, resealEndpointKey } from '#src/byok/store';
import { createCatalog, type WaitUntil } from '#src/catalog/catalog';
import type { Context } from '#src/context';
import { attempt, type AttemptOrder } from '#src/dispatch/attempt';
import { sayChat } from '#src/dispatch/say-chat';
import { isCallable } from '#src/dispatch/target';
import { REGISTRY_BOARD } from '#src/health/board-name';
import { GroupCommit } from '#src/ledger/group-commit';
import { writeBatches } from '#src/ledger/store';
import { createPriceDesk } from '#src/price-desk';
import { CANARY_KEY_ID, COMPARISON_KEY_ID } from './canary-receipt.ts';
import { compareModels } from './compare-models.ts';
import { sendCanaries } from './canaries.ts';
import { minuteOfProbes } from './probes.ts';
import { checkJournal, reconcileAccounts } from './reconcile.ts';
import { rollUp } from './roll-up.ts';
import { CANARY_TEAM_ID } from './send-canary.ts';
import { readRecentCanaries } from './store.ts';
import { sweep } from './sweep.ts';

/** Longer than any job takes that goes well. */
const JOB_TIMEOUT_MS = 25_000;

/** The scheduled work of one isolate. */
export interface Jobs {
  /** Runs every job that is due at `nowMs`. Never rejects. */
  run(nowMs: number, waitUntil: WaitUntil): Promise<void>;
}

/** Prepares the jobs. Canaries and comparisons, which cost money, stay at home where the variable `HEADRACE_CANARIES` is `off`. */
export function createJobs(house: Context): Jobs {
  const endpointKeys = createEndpointKeys({
    ...house,
    sealer: createSealer(house.secret),
    read: (endpointId) => readEndpointKeys(house.db, endpointId),
    reseal: (key, seal) => resealEndpointKey(house.db, key, seal),
  });
  const context = { ...house, secret: endpointKeys.secret };
  const catalog = withOpenKeys(createCatalog(context), endpointKeys);
  const prices = createPriceDesk(context);
  const sendsCanaries = context.secret('HEADRACE_CANARIES') !== 'off';

  /** Books canaries as requests are booked: by group commit through an Account, or past it. */
  const books = new GroupCommit({
    flush: async (batch) => {
      await context.account(CANARY_TEAM_ID).flush(batch, []);
    },
    writeDirect: (batch) => writeBatches(context.db, [batch], context.now()),
    now: context.now,
    newId: context.newId,
    random: context.random,
    log: (event) => context.log({ ...event, teamId: CANARY_TEAM_ID }),
  });

  /** What all requests of the house use; `keyId` is that of their receipts. */
  const portsFor = (keyId: string, waitUntil: WaitUntil) => ({
    call: (order: AttemptOrder) => attempt(order, context),
    now: context.now,
    timers: RUNTIME_TIMERS,
    random: context.random,
    secret: context.secret,
    log: context.log,
    snapshot: () => catalog.snapshot(waitUntil),
    isCallable: (offer: Offer) => isCallable(offer, context),
    readRecent: (sinceMs: number) => readRecentCanaries(context.db, keyId, sinceMs),
    // What could not be stored has been logged, and goes with a later batch.
    book: (receipt: Receipt) => books.add(receipt).durable.catch(() => undefined),
  });

  function sendOut(waitUntil: WaitUntil): Promise<void> {
    const knownBoards = () => context.board(REGISTRY_BOARD).known();
    return sendCanaries({ ...portsFor(CANARY_KEY_ID, waitUntil), board: context.board, knownBoards });
  }

  return {
    async run(nowMs, waitUntil) {
      const jobs = {
        roll_up: () => rollUp(context.db, nowMs),
        reconcile: () => reconcileAccounts(context, nowMs),
        check_journal: () => checkJournal(context),
        probes: () => minuteOfProbes({ ...context, endpointKey: endpointKeys.find, say: sayChat }, nowMs),
        prices: () => prices.readDue(),
        sweep: () => sweep(context, nowMs),
        ...(sendsCanaries && {
          canaries: () => sendOut(waitUntil),
          comparisons: () => compareModels({ ...portsFor(COMPARISON_KEY_ID, waitUntil), db: context.db }),
        }),
      };
      const runs = Object.entries(jobs).map(async ([job, work]) => {
        try {
          await within(work(), JOB_TIMEOUT_MS);
        } catch (error) {
          context.log({ event: 'job_failed', job, error: error instanceof Error ? error.name : 'unknown' });
        }
      });
      await Promise.all(runs);
    },
  };
}
