/** A region in virtual time: isolates, the board that they meet over, a network's delay between them, and what can go wrong on the way. */
import type { Timers } from '#schema/timers';
import type { BoardReport } from '#src/health/board-port';
import { createBoardState, type BoardState } from '#src/health/board-state';
import { createHealth, type Health } from '#src/health/health';
import { settleDown } from '#test/support/fake-clock';

const TRAVEL_MS = 10;

export type BoardFault = 'none' | 'dead' | 'hangs' | 'answer_lost';

export interface Region {
  clock: { nowMs: number };
  isolates: Health[];
  board: BoardState;
  fault: BoardFault;
  /** Changes what the board answers. */
  tamper: (answer: object) => unknown;
  /** Reports that have reached the board, oldest first. */
  reports: BoardReport[];
  /** Lets an isolate exchange once it is due; tells whether it took that up. */
  sync(place: number): boolean;
  /** Replaces the board by one that knows what `record` says. */
  restart(record: unknown): void;
  /** Moves time on; what comes due runs in order. */
  pass(durationMs: number): Promise<void>;
}

export function openRegion(count: number): Region {
  const clock = { nowMs: 1_800_000_000_000 };
  let due: { atMs: number; fire: () => void }[] = [];
  const timers: Timers = {
    set(fire, delayMs) {
      const timer = { atMs: clock.nowMs + delayMs, fire };
      due.push(timer);
      return timer;
    },
    clear: (timer) => void (due = due.filter((other) => other !== timer)),
  };
  const travel = () => new Promise<void>((resolve) => timers.set(resolve, TRAVEL_MS));
  const newBoard = () => createBoardState({ now: () => clock.nowMs, random: () => 0.5 });

  const region: Region = {
    clock,
    isolates: [],
    board: newBoard(),
    fault: 'none',
    tamper: (answer) => answer,
    reports: [],
    sync: (place) => region.isolates[place]?.sync() != null,
    restart(record) {
      region.board = newBoard();
      region.board.restore(structuredClone(record));
    },
    async pass(durationMs) {
      const untilMs = clock.nowMs + durationMs;
      for (;;) {
        await settleDown();
        const next = due.reduce<(typeof due)[number] | null>(
          (first, timer) => (first === null || timer.atMs < first.atMs ? timer : first),
          null,
        );
        if (next === null || next.atMs > untilMs) break;
        due = due.filter((timer) => timer !== next);
        clock.nowMs = Math.max(clock.nowMs, next.atMs);
        next.fire();
      }
      clock.nowMs = untilMs;
    },
  };
  const exchange = async (sent: BoardReport) => {
    const report = structuredClone(sent);
    await travel();
    if (region.fault === 'dead') throw new Error('dead');
    if (region.fault === 'hangs') await new Promise(() => undefined);
    region.reports.push(report);
    const answer = structuredClone(region.tamper(region.board.exchange(report)));
    if (region.fault === 'answer_lost') throw new Error('lost');
    await travel();
    return answer as ReturnType<BoardState['exchange']>;
  };
  for (let place = 0; place < count; place++) {
    region.isolates.push(
      createHealth({ now: () => clock.nowMs, random: () => 0.5, timers, board: () => ({ exchange }), newId: () => `isolate ${place}` }),
    );
  }
  return region;
}

/** The isolate at a place. */
export function at(region: Region, place: number): Health {
  const health = region.isolates[place];
  if (health === undefined) throw new Error(`no isolate ${place}`);
  return health;
}
