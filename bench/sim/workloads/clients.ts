/** Many clients of very different size, each bursty by itself: what ServeGen found behind production traffic. */
import { drawLognormal, type Random } from '#devnet/random';
import type { Arrival } from './arrival.ts';
import { drawGamma, drawLength } from './draws.ts';

const CLIENTS = 60;
const RANK_EXPONENT = 1.1; // the ten largest of sixty send about 70 % of the traffic; published: 63–93 %
const VARIATION_P50 = 1.75; // published rate-weighted means: 1.6–1.9
const PROMPT_P50 = 700;
const ANSWER_P50 = 140;

/** Generates each client's own renewal process and merges them. */
export function generateClients(random: Random, { count, rate }: { count: number; rate: number }): Arrival[] {
  const weights = Array.from({ length: CLIENTS }, (_, rank) => (rank + 1) ** -RANK_EXPONENT);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  // A tenth more than asked for, so that a slow draw still fills the run.
  const untilMs = ((count * 1_000) / rate) * 1.1;
  const arrivals = weights.flatMap((weight) => generateClient(random, (rate * weight) / weightSum, untilMs));
  return arrivals.toSorted((left, right) => left.atMs - right.atMs).slice(0, count);
}

function generateClient(random: Random, rate: number, untilMs: number): Arrival[] {
  const shape = 1 / drawLognormal(random, VARIATION_P50, 0.35) ** 2;
  const promptP50 = drawLognormal(random, PROMPT_P50, 0.9);
  const answerP50 = drawLognormal(random, ANSWER_P50, 0.7);
  const prompt = { p50: promptP50, p99: promptP50 * 4, max: 30_000 };
  const answer = { p50: answerP50, p99: answerP50 * 4, max: 4_000 };
  const arrivals: Arrival[] = [];
  for (let atMs = 0; ;) {
    atMs += drawGamma(random, shape, 1_000 / rate);
    if (atMs > untilMs) return arrivals;
    arrivals.push({ atMs, promptTokens: drawLength(random, prompt), completionTokens: drawLength(random, answer) });
  }
}
