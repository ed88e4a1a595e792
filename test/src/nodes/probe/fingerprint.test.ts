import { describe, expect, it } from 'vitest';
import { createRandom, hashText } from '#devnet/random';
import type { ModelComparison } from '#schema/probe';
import { compareWith, DIFFERENCES_MAX, judgeComparison, type Fingerprinted } from '#src/nodes/probe/compare';
import { distanceOf, readFingerprint, toleranceOf, type Fingerprint, type Precision } from '#src/nodes/probe/fingerprint';

const VOCABULARY = 40;
const PROMPTS = 4;
const TOKENS = 12;
const TOP = 5;
const NOW_MS = Date.parse('2027-01-15T08:00:00Z');

/** A model: logits after every context. `peak` is how sure it is of itself. */
interface SimulatedModel {
  seed: number;
  peak: number;
}

/** Logits of a model after a context, with what an endpoint's precision adds. */
function logitsOf({ seed, peak }: SimulatedModel, context: string, drift: number, endpoint: number): number[] {
  const hash = hashText(context, seed);
  const [truth, noise] = [createRandom(hash), createRandom((hash ^ endpoint) >>> 0)];
  const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: VOCABULARY }, () => peak * normal(truth) + drift * normal(noise));
}

/** What an endpoint answers greedily to one prompt. */
function answerOf(model: SimulatedModel, prompt: number, drift: number, endpoint: number): Fingerprint {
  let context = `${prompt}:`;
  return Array.from({ length: TOKENS }, () => {
    const logits = logitsOf(model, context, drift, endpoint);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const likely = logits
      .map((logit, token) => [`t${token}`, Math.exp(logit) / sum] as const)
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, TOP);
    const token = likely[0]?.[0] ?? '';
    context += token;
    return { token, likely: new Map(likely) };
  });
}

const TRUTH = { seed: 1, peak: 2 };
const EXACT: Precision = { quantization: 'bf16', kvCache: 'bf16' };

function endpointOf(model: SimulatedModel, drift: number, endpoint: number, precision = EXACT): Fingerprinted {
  return {
    ...precision,
    answers: Array.from({ length: PROMPTS }, (_, prompt) => answerOf(model, endpointPrompt(prompt), drift, endpoint)),
  };
}
let round = 0;
const endpointPrompt = (prompt: number): number => round * PROMPTS + prompt;

/** Mean divergence of a drift, in nats, so that drifts stand for what perplexities say. */
function divergenceOf(drift: number): number {
  let sum = 0;
  for (let context = 0; context < 200; context++) {
    const [p, q] = [logitsOf(TRUTH, `${context}`, 0, 7), logitsOf(TRUTH, `${context}`, drift, 7)].map((logits) => {
      const total = logits.reduce((all, logit) => all + Math.exp(logit), 0);
      return logits.map((logit) => Math.exp(logit) / total);
    }) as [number[], number[]];
    sum += p.reduce((all, share, token) => all + share * Math.log(share / (q[token] ?? 1)), 0);
  }
  return sum / 200;
}

describe('fingerprints of simulated models', () => {
  /** Drifts whose divergence is at least what the codec's perplexity says that it is. */
  const CODECS: [kvCache: Precision['kvCache'], drift: number, cost: number][] = [
    ['fp8', 0.12, 0.005],
    ['turboquant_k8v4', 0.18, 0.0117],
    ['turboquant_4bit_nc', 0.27, 0.0271],
    ['turboquant_3bit_nc', 0.72, 0.187],
  ];

  it.each(CODECS)('V: %s is taken for what it is, two hundred times out of two hundred', (kvCache, drift, cost) => {
    expect(divergenceOf(drift)).toBeGreaterThan(cost);
    const precision = { ...EXACT, kvCache };
    let agreed = 0;
    for (round = 0; round < 200; round++) {
      const [ours, theirs] = [endpointOf(TRUTH, drift, 3, precision), { ...endpointOf(TRUTH, 0.05, 4), isSure: true }];
      if (compareWith(ours, [theirs], { before: null, nowMs: NOW_MS }).verdict === 'agrees') agreed++;
    }
    expect(agreed).toBe(200);
  });

  it.each<[string, number, SimulatedModel, number]>([
    ['another model', 195, { seed: 2, peak: 2 }, 0],
    ['a model of its family with at most twice its perplexity', 160, TRUTH, 1.3],
  ])('V, M15: %s under the same name is seen at least %i times out of two hundred', (_, least, model, drift) => {
    expect(divergenceOf(drift)).toBeLessThan(Math.log(2));
    let differed = 0;
    for (round = 0; round < 200; round++) {
      const ours = endpointOf(model, drift, 3, { quantization: 'fp8', kvCache: 'turboquant_4bit_nc' });
      const theirs = { ...endpointOf(TRUTH, 0.05, 4), isSure: true };
      if (compareWith(ours, [theirs], { before: null, nowMs: NOW_MS }).verdict === 'differs') differed++;
    }
    expect(differed).toBeGreaterThanOrEqual(least);
  });

  it('what comes after two answers have parted is not compared', () => {
    const [one, two] = [answerOf(TRUTH, 1, 0, 1), answerOf({ seed: 2, peak: 2 }, 1, 0, 1)];
    const parted: Fingerprint = [
      ...one.slice(0, 6),
      { ...one[6], token: 'elsewhere', likely: one[6]?.likely ?? new Map() },
      ...two.slice(7),
    ];
    expect(distanceOf([one], [parted])).toBe(0);
  });

  it('a wider precision tolerates more, and none tolerates everything', () => {
    const tolerances = (['bf16', 'fp8', 'turboquant_4bit_nc', 'turboquant_3bit_nc'] as const).map((kvCache) =>
      toleranceOf({ ...EXACT, kvCache }, EXACT),
    );
    expect(tolerances).toEqual(tolerances.toSorted((a, b) => a - b));
    expect(toleranceOf({ quantization: 'unknown', kvCache: 'turbo2' }, { quantization: 'unknown', kvCache: 'turbo2' })).toBeLessThanOrEqual(
      0.45,
    );
  });
});

describe('log probabilities as engines write them', () => {
  const content = (token: string, logprob = -0.5) => ({ content: [{ token, logprob, top_logprobs: [{ token, logprob }] }] });

  it('are the same whether a space is a space or the tokenizer’s mark', () => {
    const read = [' word', 'Ġword', '▁word'].map((token) => readFingerprint(content(token)));
    expect(read[1]).toEqual(read[0]);
    expect(read[2]).toEqual(read[0]);
  });

  it.each([[null], [{}], [{ content: [] }], [content('a', 0.7)], [{ content: [{ token: 1, logprob: -1 }] }]])(
    'are none where they cannot be: %j',
    (value) => {
      expect(readFingerprint(value)).toBeNull();
    },
  );
});

describe('a comparison', () => {
  const like = endpointOf(TRUTH, 0, 1);
  const unlike = endpointOf({ seed: 9, peak: 2 }, 0, 1);
  const compared = (ours: Fingerprinted, references: (Fingerprinted & { isSure: boolean })[], before: ModelComparison | null = null) =>
    compareWith(ours, references, { before, nowMs: NOW_MS });
  const sure = (one: Fingerprinted) => ({ ...one, isSure: true });
  const unsure = (one: Fingerprinted) => ({ ...one, isSure: false });

  it('agrees where one reference does', () => {
    expect(compared(like, [sure(unlike), sure(like)])).toMatchObject({ verdict: 'agrees', references: 2, differed: 0 });
  });

  it('V: one endpoint that is not sure brings nobody down; two do', () => {
    expect(compared(unlike, [unsure(like)]).verdict).toBe('no_reference');
    expect(compared(unlike, [unsure(like), unsure(like)]).verdict).toBe('differs');
    expect(compared(unlike, [sure(like)]).verdict).toBe('differs');
  });

  it('V, M15: beside one that is sure, the likeness of others counts for nothing', () => {
    expect(compared(unlike, [sure(like), unsure(unlike)])).toMatchObject({ verdict: 'differs', references: 1 });
    expect(compared(like, [sure(like), unsure(unlike)]).verdict).toBe('agrees');
  });

  it('V, M15: nobody can tell where two that are not sure are not alike', () => {
    const before = compared(unlike, [sure(like)]);
    expect(compared(unlike, [unsure(unlike), unsure(like)], before)).toMatchObject({ verdict: 'no_reference', differed: 1 });
    expect(compared(like, [unsure(like), unsure(like)], before)).toMatchObject({ verdict: 'agrees', differed: 0 });
  });

  it('says so where there is nobody, and forgets no difference by it', () => {
    const before = compared(unlike, [sure(like)]);
    expect(compared(unlike, [], before)).toMatchObject({ verdict: 'no_reference', distance: null, differed: 1 });
    expect(compared(unlike, [sure(like)], before).differed).toBe(2);
    expect(compared(like, [sure(like)], before).differed).toBe(0);
  });

  it('V: quarantines at the second difference, and not whom a manager vouches for', () => {
    const difference = (differed: number): ModelComparison => ({ ...compared(unlike, [sure(like)]), differed });
    const judged = (isTrusted: boolean, differed: number) => judgeComparison({ state: 'active', isTrusted }, difference(differed));
    expect(judged(false, 1)).toMatchObject({
      state: 'active',
      reason: expect.stringMatching(/^its model: it answers as another one does/),
    });
    expect(judged(false, DIFFERENCES_MAX)?.state).toBe('quarantined');
    expect(judged(true, DIFFERENCES_MAX)?.state).toBe('active');
    expect(judgeComparison({ state: 'active', isTrusted: false }, compared(like, [sure(like)]))).toBeNull();
  });
});
