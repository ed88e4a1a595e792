/** The random part of the choice: near ties share the traffic, so that isolates with the same view do not herd. */

/**
 * Picks a place in an ascending list of scores with probability ∝ exp(−score / temperature).
 * `roll` is uniform in [0, 1). Returns 0 for an empty list.
 */
export function softmin(scores: readonly number[], temperature: number, roll: number): number {
  const best = scores[0] ?? 0;
  const weights = scores.map((score) => Math.exp((best - score) / temperature));
  let remaining = roll * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [place, weight] of weights.entries()) {
    remaining -= weight;
    if (remaining < 0) return place;
  }
  return 0;
}
