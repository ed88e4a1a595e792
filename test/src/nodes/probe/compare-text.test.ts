import { describe, expect, it } from 'vitest';
import { createRandom, hashText } from '#devnet/random';
import type { ModelComparison } from '#schema/probe';
import { judgeComparison } from '#src/nodes/probe/compare';
import { compareText, type Said } from '#src/nodes/probe/compare-text';

const NOW_MS = Date.parse('2027-01-15T08:00:00Z');
const PROMPTS = 8;
const WORDS = 14;

/**
 * What a model says greedily. At each place it is more or less torn between two words; an endpoint takes the other one where its noise is larger than
 * that. Most places are clear, some are not, so that partings of the same model come at the same few places.
 */
function answer({
  model,
  round,
  prompt,
  noise,
  endpoint,
}: {
  model: number;
  round: number;
  prompt: number;
  noise: number;
  endpoint: number;
}): Said {
  const words: string[] = [];
  for (let place = 0; place < WORDS; place++) {
    const context = `${round}:${prompt}:${words.join(' ')}`;
    const truth = createRandom(hashText(context, model));
    const margin = truth() < 0.25 ? truth() : 1 + truth() * 4;
    const own = createRandom(hashText(context, endpoint))();
    words.push(`${own * noise > margin ? 'other' : 'word'}${Math.floor(truth() * 1e6)}`);
  }
  return { content: words.join(' '), reasoning: '' };
}

const OTHER_SHARE = 0.35;
/** Another model that has much in common with the first: at a place of each it says the same two times out of three. */
function relative(round: number, prompt: number): Said {
  const words = answer({ model: 1, round, prompt, noise: 0, endpoint: 1 }).content.split(' ');
  const random = createRandom(hashText(`${round}:${prompt}`, 77));
  const at = words.findIndex(() => random() < OTHER_SHARE);
  return {
    content: at < 0 ? words.join(' ') : [...words.slice(0, at), ...words.slice(at).map((word) => `x${word}`)].join(' '),
    reasoning: '',
  };
}

const roundOf = (round: number, noise: number, endpoint: number): Said[] =>
  Array.from({ length: PROMPTS }, (_, prompt) => answer({ model: 1, round, prompt, noise, endpoint }));

function compared(ours: Said[], round: number, before: ModelComparison | null = null): ModelComparison {
  const references = [
    { answers: roundOf(round, 0.2, 11), isSure: true },
    { answers: roundOf(round, 0.5, 12), isSure: false },
  ];
  return compareText(ours, references, { before, nowMs: NOW_MS });
}

/** At how many words in a hundred endpoints of one model part, in the simulation. */
function partsOf(noise: number): number {
  let [same, words] = [0, 0];
  for (let round = 0; round < 100; round++) {
    for (const [prompt, { content }] of roundOf(round, noise, 3).entries()) {
      const truth = answer({ model: 1, round, prompt, noise: 0, endpoint: 4 }).content.split(' ');
      const at = content.split(' ').findIndex((word, place) => word !== truth[place]);
      words += at < 0 ? WORDS : at + 1;
      same += at < 0 ? 0 : 1;
    }
  }
  return same / words;
}

describe('what endpoints without log probabilities say', () => {
  it.each([
    ['kernels and batches', 0.2, 0.04, 1_000],
    ['8-bit weights and caches', 0.5, 0.08, 1_000],
    ['4-bit weights and a 4-bit cache', 0.9, 0.13, 990],
  ])('V, M15: is never taken for another model’s three rounds in a row over %s, and seldom once', (_, noise, partsMost, least) => {
    expect(partsOf(noise)).toBeLessThan(partsMost);
    let [alarms, quarantines] = [0, 0];
    let before: ModelComparison | null = null;
    for (let round = 0; round < 1_000; round++) {
      before = compared(roundOf(round, noise, 3), round, before);
      if (before.verdict === 'differs') alarms++;
      if (judgeComparison({ state: 'active', isTrusted: false }, before)?.state === 'quarantined') quarantines++;
    }
    expect([1_000 - alarms >= least, quarantines]).toEqual([true, 0]);
  });

  it('V, M15: another model is seen in nearly every round, and one that agrees at two words out of three in most', () => {
    let [other, near] = [0, 0];
    for (let round = 0; round < 200; round++) {
      const others = Array.from({ length: PROMPTS }, (_, prompt) => answer({ model: 2, round, prompt, noise: 0, endpoint: 3 }));
      if (compared(others, round).verdict === 'differs') other++;
      if (
        compared(
          Array.from({ length: PROMPTS }, (_, prompt) => relative(round, prompt)),
          round,
        ).verdict === 'differs'
      )
        near++;
    }
    expect([other, near >= 120]).toEqual([200, true]);
  });
});

describe('a comparison of text', () => {
  const said = (content: string): Said => ({ content, reasoning: '' });
  const EIGHT = Array.from({ length: PROMPTS }, (_, prompt) => said(`one two three four five six seven eight ${prompt} cut`));
  const OTHER = EIGHT.map(() => said('another model says something else altogether here cut'));
  const saying = (answers: Said[], isSure = false) => ({ answers, isSure });
  const verdictOf = (ours: Said[], references: ReturnType<typeof saying>[], before: ModelComparison | null = null) =>
    compareText(ours, references, { before, nowMs: NOW_MS });

  it('says nothing beside one endpoint alone, nor beside two that do not agree', () => {
    expect(verdictOf(OTHER, [saying(EIGHT, true)])).toMatchObject({ verdict: 'no_reference', by: 'text', differed: 0 });
    const third = EIGHT.map((_, prompt) => said(`quite ${prompt} different cut`));
    expect(verdictOf(OTHER, [saying(EIGHT, true), saying(third)]).verdict).toBe('no_reference');
  });

  it('keeps an endpoint where it is at once, and quarantines it in the third round, where one of the references is sure', () => {
    const run = (isSure: boolean) => {
      let before: ModelComparison | null = null;
      return Array.from({ length: 5 }, () => {
        before = verdictOf(OTHER, [saying(EIGHT, isSure), saying(EIGHT)], before);
        return judgeComparison({ state: 'probation', isTrusted: false }, before)?.state;
      });
    };
    expect(run(true)).toEqual(['probation', 'probation', 'quarantined', 'quarantined', 'quarantined']);
    expect(run(false)).toEqual(Array(5).fill('probation'));
  });

  it('forgets differences where it agrees, and none where it cannot tell', () => {
    const before = verdictOf(OTHER, [saying(EIGHT, true), saying(EIGHT)]);
    expect(before).toMatchObject({ verdict: 'differs', differed: 1, distance: 1, references: 2 });
    expect(verdictOf(EIGHT, [saying(EIGHT, true), saying(EIGHT)], before)).toMatchObject({ verdict: 'agrees', differed: 0, distance: 0 });
    expect(verdictOf(EIGHT, [saying(EIGHT, true)], before)).toMatchObject({ verdict: 'no_reference', differed: 1 });
  });

  it('does not compare what one thinks aloud with what another answers, nor the word at which the limit cut', () => {
    const thinking = EIGHT.map(() => ({ content: '', reasoning: 'Okay, the user wants something cut' }));
    expect(verdictOf(thinking, [saying(EIGHT, true), saying(EIGHT)]).verdict).toBe('no_reference');
    const shorter = EIGHT.map(() => said('one two three four fi'));
    expect(verdictOf(shorter, [saying(EIGHT, true), saying(EIGHT)])).toMatchObject({ verdict: 'agrees', distance: 0 });
  });
});
