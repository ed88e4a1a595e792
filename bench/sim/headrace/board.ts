/** The health board of a simulated region: the real board's state, a network's delay away. */
import { createBoardState } from '#src/health/board-state';
import type { BoardPort } from '#src/health/board-port';
import type { Stage } from '../contract.ts';
import { epochMs } from './epoch.ts';

/** Creates the one board of a run. Without extrapolation it tells every isolate that there is no other. */
export function createBoard(stage: Stage, { extrapolates }: { extrapolates: boolean }): BoardPort {
  const board = createBoardState({ now: () => epochMs(stage), random: stage.random('board') });
  const travel = () => new Promise<void>((resolve) => stage.after(stage.boardDelayMs, resolve));
  return {
    async exchange(report) {
      // What travels is a copy, as between a Worker and a Durable Object.
      const sent = copied(report);
      await travel();
      const answer = copied(board.exchange(sent));
      await travel();
      return extrapolates ? answer : { ...answer, activeIsolates: 1 };
    },
  };
}

/** Copies plain data; much faster than structuredClone. */
function copied<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copied) as T;
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) copy[name] = copied(field);
  return copy as T;
}
