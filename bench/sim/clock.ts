/** Virtual time: events in order of their instant, those of one instant in order of their making. Nothing here waits. */
import type { SimTimer } from './contract.ts';

interface Event {
  atMs: number;
  /** Breaks ties, so that a run is the same every time. */
  number: number;
  /** Null once it has fired or was cleared. */
  fire: (() => void) | null;
}

export interface Clock {
  /** Virtual milliseconds from the start of the run. */
  now(): number;
  /** Calls `fire` at an instant; one that has passed is now. */
  at(atMs: number, fire: () => void): SimTimer;
  after(delayMs: number, fire: () => void): SimTimer;
  /** Forgets an event; one that has fired is no matter. */
  clear(timer: SimTimer): void;
  /** Advances to the next event and fires it; false when there is none. */
  step(): boolean;
}

/** Creates a clock at zero. */
export function createClock(): Clock {
  const heap: Event[] = [];
  let nowMs = 0;
  let made = 0;

  function at(atMs: number, fire: () => void): SimTimer {
    const event: Event = { atMs: atMs > nowMs ? atMs : nowMs, number: made++, fire };
    siftUp(heap, heap.push(event) - 1);
    return event;
  }

  return {
    now: () => nowMs,
    at,
    after: (delayMs, fire) => at(nowMs + delayMs, fire),
    clear(timer) {
      (timer as Event).fire = null;
    },
    step() {
      for (;;) {
        const event = takeFirst(heap);
        if (event === undefined) return false;
        const { fire } = event;
        // Cleared events stay in the heap until their time, which costs less than finding them.
        if (fire === null) continue;
        event.fire = null;
        nowMs = event.atMs;
        fire();
        return true;
      }
    },
  };
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
}

function takeFirst(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  heap[0] = last;
  siftDown(heap);
  return first;
}

function siftUp(heap: Event[], from: number): void {
  const event = heap[from] as Event;
  let place = from;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(event, heap[parent] as Event)) break;
    heap[place] = heap[parent] as Event;
    place = parent;
  }
  heap[place] = event;
}

function siftDown(heap: Event[]): void {
  const event = heap[0] as Event;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
    if (!isBefore(heap[child] as Event, event)) break;
    heap[place] = heap[child] as Event;
    place = child;
  }
  heap[place] = event;
}
