/** The best few of many, by a bounded heap. */

/**
 * Selects the `limit` best of the places 0 … count−1 and returns them best first.
 * `compare` is negative when its first place is better and must never return 0 for two different places.
 */
export function bestPlaces(count: number, limit: number, compare: (a: number, b: number) => number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, place) => place).sort(compare);
  // Worst on top: a place enters only by beating it, so most cost one comparison.
  const heap: number[] = [];
  for (let place = 0; place < count; place++) {
    if (heap.length < limit) {
      heap.push(place);
      siftUp(heap, compare);
    } else if (compare(place, heap[0] as number) < 0) {
      heap[0] = place;
      siftDown(heap, compare);
    }
  }
  return heap.sort(compare);
}

function siftUp(heap: number[], compare: (a: number, b: number) => number): void {
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (compare(heap[child] as number, heap[parent] as number) <= 0) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function siftDown(heap: number[], compare: (a: number, b: number) => number): void {
  let parent = 0;
  for (;;) {
    let worst = parent;
    for (const child of [2 * parent + 1, 2 * parent + 2]) {
      if (child < heap.length && compare(heap[child] as number, heap[worst] as number) > 0) worst = child;
    }
    if (worst === parent) return;
    swap(heap, parent, worst);
    parent = worst;
  }
}

function swap(heap: number[], a: number, b: number): void {
  const held = heap[a] as number;
  heap[a] = heap[b] as number;
  heap[b] = held;
}
