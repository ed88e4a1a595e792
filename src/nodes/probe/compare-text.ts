/**
 * Whether an endpoint that shows no log probabilities says what its model says: its greedy answers beside those on which others agree. Weaker than a
 * fingerprint: it tells another model, hardly a coarser one. Pure.
 */
import type { ModelComparison } from '#schema/probe';
import { TEXT_DIFFERENCES_MAX, withoutReference } from './compare.ts';

/** What was said to one prompt, before the limit cut it off. */
export interface Said {
  content: string;
  /** Empty where the model does not think, or does not show it. */
  reasoning: string;
}

/** One that others are compared with. `isSure`: as for fingerprints. */
export interface SayingReference {
  answers: readonly Said[];
  isSure: boolean;
}

/** Fewer cannot show on what they agree, and how often the same model parts from itself. */
const REFERENCES_MIN = 2;
/**
 * At how many words in a hundred an endpoint of the same model parts from others at most, whatever weights, cache, kernels and batches lie between
 * them; and at how many another model does at least. Choices: 4-bit weights and caches keep 92 to 97 of a hundred tokens greedily, and a model of
 * another size or family 60 to 80.
 */
const PARTS_OF_THE_SAME = 0.1;
const PARTS_OF_ANOTHER = 0.3;
/** How unlikely the same model must be to part so often before it is said to differ, and another one so seldom before it is said to agree. */
const DIFFERS_BELOW = 0.005;
const AGREES_BELOW = 0.05;

/**
 * Compares what an endpoint has said with what all of its references agree on, prompt by prompt, up to the first parting. Where they are too few, or
 * the words too few to tell by, nothing is said. References that are not sure never bring it to a quarantine.
 */
export function compareText(
  ours: readonly Said[],
  references: readonly SayingReference[],
  { before, nowMs }: { before: ModelComparison | null; nowMs: number },
): ModelComparison {
  const nothing: ModelComparison = { ...withoutReference(before, nowMs), by: 'text' };
  if (references.length < REFERENCES_MIN) return nothing;
  let [compared, parted] = [0, 0];
  for (const [prompt, said] of ours.entries()) {
    const seen = partingOf(
      said,
      references.flatMap(({ answers }) => answers[prompt] ?? []),
    );
    compared += seen.compared;
    parted += seen.parted;
  }
  const differs = atLeast(parted, compared, PARTS_OF_THE_SAME) < DIFFERS_BELOW;
  const agrees = !differs && compared > 0 && 1 - atLeast(parted + 1, compared, PARTS_OF_ANOTHER) < AGREES_BELOW;
  if (!differs && !agrees) return nothing;
  const differed = differs ? (before?.differed ?? 0) + 1 : 0;
  const isSure = references.some((reference) => reference.isSure);
  return {
    at: nothing.at,
    by: 'text',
    verdict: differs ? 'differs' : 'agrees',
    distance: Math.round((parted / compared) * 1_000) / 1_000,
    tolerance: PARTS_OF_THE_SAME,
    references: references.length,
    differed: isSure ? differed : Math.min(differed, TEXT_DIFFERENCES_MAX - 1),
  };
}

/** Counts the words of an answer up to the one at which it parts from what all others say; none where only one side thinks aloud. */
function partingOf(ours: Said, theirs: readonly Said[]): { compared: number; parted: number } {
  const thinks = ours.reasoning !== '';
  if (theirs.length < REFERENCES_MIN || theirs.some(({ reasoning }) => (reasoning !== '') !== thinks)) return { compared: 0, parted: 0 };
  const [mine, ...others] = [ours, ...theirs].map(({ reasoning, content }) => wordsOf(thinks ? reasoning : content));
  const [first = [], ...rest] = others;
  const parting = first.findIndex((word, place) => rest.some((words) => words[place] !== word));
  const agreed = parting < 0 ? first : first.slice(0, parting);
  const left = agreed.findIndex((word, place) => mine?.[place] !== undefined && mine[place] !== word);
  if (left >= 0) return { compared: left + 1, parted: 1 };
  return { compared: Math.min(agreed.length, mine?.length ?? 0), parted: 0 };
}

/** The last word may be cut off anywhere. */
function wordsOf(text: string): string[] {
  return text.trim().split(/\s+/).slice(0, -1);
}

/** The probability that of `n` words at least `k` part, each with probability `p`. */
function atLeast(k: number, n: number, p: number): number {
  let [term, below] = [(1 - p) ** n, 0];
  for (let count = 0; count < k; count++) {
    below += term;
    term *= ((n - count) / (count + 1)) * (p / (1 - p));
  }
  return Math.max(0, 1 - below);
}
