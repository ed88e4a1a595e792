/** An engine's batch: so many requests run at once, as far as its KV cache holds them; some more wait in line, the rest is refused. */
import type { NodeLoad } from '#schema/node-service';

export interface Slots {
  /** Gives a slot at once or a place in line; false when the line is full. `start` is called with the load, 0 to 1, once the slot is there. */
  enter(ticket: Ticket): boolean;
  /** Gives up the slot or the place in line. Idempotent. */
  leave(ticket: Ticket): void;
  /** Slot-milliseconds used until now. */
  busyMs(): number;
  /** How loaded it is now, as the engine would say. */
  load(): NodeLoad;
}

/** One request's claim on a slot. */
export interface Ticket {
  state: 'outside' | 'waiting' | 'running' | 'left';
  /** Tokens of the KV cache that it takes while it runs. */
  tokens?: number;
  start(load: number): void;
}

export interface Batch {
  slots: number;
  queueMax: number;
  /** Tokens that the KV cache holds; absent: enough. */
  poolTokens?: number;
}

/** Creates a batch of `slots`, with room for `queueMax` more in line. */
export function createSlots({ slots, queueMax, poolTokens = Infinity }: Batch, now: () => number): Slots {
  const line: Ticket[] = [];
  let running = 0;
  let heldTokens = 0;
  let busyMs = 0;
  let countedAtMs = 0;

  const countUp = () => {
    const nowMs = now();
    busyMs += running * (nowMs - countedAtMs);
    countedAtMs = nowMs;
  };
  const run = (ticket: Ticket) => {
    countUp();
    running++;
    heldTokens += ticket.tokens ?? 0;
    ticket.state = 'running';
    ticket.start(running / slots);
  };

  const hasRoom = ({ tokens = 0 }: Ticket): boolean => running < slots && heldTokens + tokens <= poolTokens;
  /** Lets those in line in, one after the other, as far as there is room. */
  const admit = () => {
    for (let next = line[0]; next !== undefined && hasRoom(next); next = line[0]) {
      line.shift();
      run(next);
    }
  };

  return {
    enter(ticket) {
      if (line.length === 0 && hasRoom(ticket)) run(ticket);
      else if (line.length < queueMax) {
        ticket.state = 'waiting';
        line.push(ticket);
      } else return false;
      return true;
    },
    leave(ticket) {
      if (ticket.state === 'waiting') line.splice(line.indexOf(ticket), 1);
      if (ticket.state === 'running') {
        countUp();
        running--;
        heldTokens -= ticket.tokens ?? 0;
        ticket.state = 'left';
        admit();
      }
      ticket.state = 'left';
    },
    busyMs() {
      countUp();
      return busyMs;
    },
    load: () => ({ running, waiting: line.length, kvUsage: poolTokens === Infinity ? null : Math.min(1, heldTokens / poolTokens) }),
  };
}
