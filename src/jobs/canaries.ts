/**
 * Active probes: asks endpoints of which too little is known, or whose breaker waits for a first success, for one token, and tells the
 * health boards what came of it. What that costs is booked to the house.
 */
import { digest } from '#schema/digest';
import type { CatalogSnapshot, ModelEntry, Offer } from '#schema/catalog';
import { NANO_PER_USD } from '#schema/money';
import type { Receipt } from '#schema/receipt';
import { within } from '#schema/within';
import { checkAnswer } from '#src/health/board-check';
import { boardNameOf } from '#src/health/board-name';
import {
  BOARD_PROTOCOL,
  JOBS_ISOLATE_ID,
  type BoardAnswer,
  type BoardPort,
  type BoardReport,
  type EndpointReport,
} from '#src/health/board-port';
import { toEndpointReport } from './canary-observations.ts';
import { toCanaryReceipt } from './canary-receipt.ts';
import { CANARIES_PER_RUN, chooseCanaries, type Canary } from './choose-canaries.ts';
import { CANARY_TEAM_ID, sendCanary, type CanaryPorts } from './send-canary.ts';
import type { RecentCanaries } from './store.ts';

/** A day's canaries cost this much at most, spread evenly: every ten minutes have their share. */
const BUDGET_NANO_USD_PER_DAY = 0.25 * NANO_PER_USD;
/** How far back canaries are looked up. */
const WINDOW_MS = 10 * 60_000;
const WINDOW_BUDGET_NANO_USD = BUDGET_NANO_USD_PER_DAY / (24 * 6);
const PARALLEL_MAX = 6;
/** Nothing is begun after this: a canary takes seven seconds at most, and the run twenty. */
const SEND_FOR_MS = 12_000;
const BOARDS_MAX = 200;
const BOARD_TIMEOUT_MS = 1_500;

/** What a run of canaries uses. */
export interface CanariesPorts extends CanaryPorts {
  /** Names the boards that have had traffic. */
  knownBoards(): Promise<readonly string[]>;
  board(name: string): BoardPort;
  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot>;
  isCallable(offer: Offer): boolean;
  readRecent(sinceMs: number): Promise<RecentCanaries>;
  /** Stores a receipt and what it posts; resolves when that is durable, or has to wait for better times. Never rejects. */
  book(receipt: Receipt): Promise<void>;
  log(event: Record<string, unknown>): void;
}

/** Sends the canaries that are due, and resolves when boards and books have heard of them. Rejects when it cannot be told what has been spent. */
export async function sendCanaries(ports: CanariesPorts): Promise<void> {
  const untilMs = ports.now() + SEND_FOR_MS;
  const boards = shuffled(await within(ports.knownBoards(), BOARD_TIMEOUT_MS, ports.timers), ports.random).slice(0, BOARDS_MAX);
  if (boards.length === 0) return;
  const [snapshot, recent] = await Promise.all([ports.snapshot(), ports.readRecent(ports.now() - WINDOW_MS)]);
  const errands = await chooseForAll(boards, snapshot, recent, ports);

  const reports = new Map<string, EndpointReport[]>();
  const booked: Promise<void>[] = [];
  await inParallel(errands, async ({ board, canary }) => {
    if (ports.now() >= untilMs) return;
    const ended = await sendCanary(canary, ports);
    const report = toEndpointReport(ended, digest([CANARY_TEAM_ID]), ports.now());
    reports.set(board, [...(reports.get(board) ?? []), report]);
    booked.push(ports.book(toCanaryReceipt(ended, snapshot.version, ports.random)));
  });
  await Promise.all([...[...reports].map(([board, endpoints]) => exchange(board, endpoints, ports)), ...booked]);
}

/** One canary and the board that it is for. */
interface Errand {
  board: string;
  canary: Canary;
}

/** Chooses board by board, in random order: an endpoint that several regions would ask about is asked once, and for another one the next time. */
async function chooseForAll(
  boards: readonly string[],
  snapshot: CatalogSnapshot,
  recent: RecentCanaries,
  ports: CanariesPorts,
): Promise<Errand[]> {
  const answers = await Promise.all(boards.map((board) => exchange(board, [], ports)));
  const entriesByBoard = groupByBoard([...snapshot.models.values()], boards);
  const askedAtMs = new Map(recent.askedAtMs);
  let budgetNanoUsd = WINDOW_BUDGET_NANO_USD - recent.spentNanoUsd;
  const errands: Errand[] = [];
  for (const [place, board] of boards.entries()) {
    const answer = answers[place];
    if (!answer) continue;
    const chosen = chooseCanaries({
      shared: answer.endpoints,
      offers: entriesByBoard.get(board)?.flatMap((entry) => entry.offers) ?? [],
      nowMs: ports.now(),
      askedAtMs,
      budgetNanoUsd,
      canariesMax: CANARIES_PER_RUN - errands.length,
      random: ports.random,
      isCallable: ports.isCallable,
    });
    for (const canary of chosen) {
      askedAtMs.set(canary.offer.endpointId, ports.now());
      budgetNanoUsd -= canary.worstNanoUsd;
      errands.push({ board, canary });
    }
  }
  return errands;
}

/** Finds the models that each board stands for, region by region. */
function groupByBoard(entries: readonly ModelEntry[], boards: readonly string[]): Map<string, ModelEntry[]> {
  const regions = new Set(boards.map((board) => board.slice(0, board.lastIndexOf('/'))));
  return new Map([...regions].flatMap((region) => [...Map.groupBy(entries, ({ model }) => boardNameOf(region, model.id))]));
}

/** Tells a board what was seen and hears what it knows; null when it does not answer in time, or in another protocol (R16). */
async function exchange(
  board: string,
  endpoints: EndpointReport[],
  { board: open, log, timers }: CanariesPorts,
): Promise<BoardAnswer | null> {
  const report: BoardReport = { protocol: BOARD_PROTOCOL, isolateId: JOBS_ISOLATE_ID, board, endpoints, slotsWanted: [] };
  try {
    return checkAnswer(await within(open(board).exchange(report), BOARD_TIMEOUT_MS, timers));
  } catch (failure) {
    log({ event: 'board_unavailable', job: 'canaries', cause: failure instanceof Error ? failure.name : 'unknown' });
    return null;
  }
}

/** Does work on a few items at a time. */
async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, lane));
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, draw: random() }))
    .toSorted((a, b) => a.draw - b.draw)
    .map(({ item }) => item);
}
