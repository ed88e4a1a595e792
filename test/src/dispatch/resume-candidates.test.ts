import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '#src/dispatch/retry-budget';
import { offerOf } from '#test/support/offers';
import { resume, type Run, type Trouble } from './resumed.ts';

describe('who goes on', () => {
  const TOKENS = ['One', ' two', ' three'];
  const troubles: Trouble[] = [{ kind: 'error', at: 3 / 7 }];
  const able = (id: string, over = {}) => offerOf(id, { capabilities: new Set(['continuation']), ...over });

  it('is of the same model, can continue, has room, and is another operator where there is one', async () => {
    const offers = [
      able('a'),
      able('sibling', { operatorId: 'a' }),
      offerOf('unable'),
      able('other', { modelId: 'lab/other' }),
      able('small', { context: 12 }),
      able('good'),
    ];
    const { calls } = await resume({ tokens: TOKENS, troubles }, { offers });
    expect(calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'good']);
    const fixed = await resume({ tokens: TOKENS, troubles }, { offers, order: { fixedOrder: true } });
    expect(fixed.calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'sibling']);
  });

  it('is not one that has failed this request', async () => {
    const { calls } = await resume({ tokens: TOKENS, troubles: [{ kind: 'end', at: 0 }, ...troubles] });
    expect(calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'b', 'c']);
  });

  it.each<Trouble>([{ kind: 'end', at: 0 }, { kind: 'refuses' }])(
    'R3: is tried once for free, and again for a retry of the budget',
    async (trouble) => {
      const poor = await resume({ tokens: TOKENS, troubles: [...troubles, trouble] }, { retries: 0 });
      expect(poor.calls).toHaveLength(2);
      expect(poor.heard).toMatchObject({ text: 'One two', failure: { kind: 'upstream_error' } });
      const rich = await resume({ tokens: TOKENS, troubles: [...troubles, trouble] }, { retries: 1 });
      expect(rich.calls).toHaveLength(3);
      expect(rich.heard).toMatchObject({ text: 'One two three', finish: 'stop' });
    },
  );

  it('R3: is found for every stream of a node that dies, however many they are', async () => {
    const retryBudget = createRetryBudget(() => 0);
    const broken = await Promise.all(Array.from({ length: 300 }, () => resume({ tokens: TOKENS, troubles }, { retryBudget })));
    expect(new Set(broken.map(({ heard }) => heard.text))).toEqual(new Set(['One two three']));
    expect(broken.every(({ calls, heard }) => calls.length === 2 && heard.seams === 1)).toBe(true);
    // What fails before it answers is still paid for.
    expect(retryBudget.withdraw()).toBe(true);
  });

  it.each<[string, Run]>([
    ['the policy says no', { order: { resume: false } }],
    ['fallbacks are forbidden', { order: { allowFallbacks: false } }],
    ['all attempts are used', { order: { maxAttempts: 1 } }],
    ['no other endpoint can continue', { offers: [able('a'), offerOf('b')] }],
    ['several answers were asked for', { request: { n: 2 } }],
    ['log probabilities were asked for', { request: { logprobs: true } }],
    ['a grammar of the engine was asked for', { request: { guided_json: {} } }],
  ])('is nobody where %s', async (_, run) => {
    const { calls, heard } = await resume({ tokens: TOKENS, troubles }, run);
    expect(calls).toHaveLength(1);
    expect(heard).toMatchObject({ text: 'One two', seams: 0, failure: { kind: 'upstream_error' } });
  });
});
