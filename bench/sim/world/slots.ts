/** An engine's batch: so many requests run at once, some more wait in line, the rest is refused. */

export interface Slots {
  /** Gives a slot at once or a place in line; false when the line is full. `start` is called with the load, 0 to 1, once the slot is there. */
  enter(ticket: Ticket): boolean;
  /** Gives up the slot or the place in line. Idempotent. */
  leave(ticket: Ticket): void;
  /** Slot-milliseconds used until now. */
  busyMs(): number;
}

/** One request's claim on a slot. */
export interface Ticket {
  state: 'outside' | 'waiting' | 'running' | 'left';
  start(load: number): void;
}

/** Creates a batch of `slots`, with room for `queueMax` more in line. */
export function createSlots({ slots, queueMax }: { slots: number; queueMax: number }, now: () => number): Slots {
  const line: Ticket[] = [];
  let running = 0;
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
    ticket.state = 'running';
    ticket.start(running / slots);
  };

  return {
    enter(ticket) {
      if (running < slots) run(ticket);
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
        ticket.state = 'left';
        const next = line.shift();
        if (next !== undefined) run(next);
      }
      ticket.state = 'left';
    },
    busyMs() {
      countUp();
      return busyMs;
    },
  };
}
