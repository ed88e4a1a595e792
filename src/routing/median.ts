/** The median of many numbers without sorting them. */

/** Finds the median; the mean of the middle two for an even count, 0 for none. Reorders `values`. Linear time on average. */
export function medianInPlace(values: Float64Array): number {
  const count = values.length;
  if (count === 0) return 0;
  const upper = selectInPlace(values, count >> 1);
  if (count % 2 === 1) return upper;
  // Selection leaves everything below the place no larger than it, so the other middle value is their largest.
  let lower = -Infinity;
  for (let place = 0; place < count >> 1; place++) lower = Math.max(lower, values[place] ?? lower);
  return (lower + upper) / 2;
}

/** Finds the value that sorting would put at place `wanted`, by Hoare's selection. Reorders `values`. */
export function selectInPlace(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] as number;
      values[left++] = values[right] as number;
      values[right--] = swapped;
    }
    if (wanted <= right) high = right;
    else if (wanted >= left) low = left;
    else break;
  }
  return values[wanted] as number;
}
